"""An index says what the manifests say, whatever was done to the archive since."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from batchcomp.archive import ArchiveReader, ArchiveWriter, Keep, prune, read_versions
from batchcomp.errors import ArchiveError, ArchiveNotFoundError
from batchcomp.index import ArchiveIndex
from batchcomp.index.conditions import CURRENT, EVERYTHING, version_number
from batchcomp.report.rows import report_row
from batchcomp.report.tally import Tally
from batchcomp.report.totals import Worst, totals
from tests.archive.samples import archive_that_shares, fixed_now, sample_row, three_pictures, write_archive
from tests.index.samples import add, break_rows, indexed, read


def assert_true(folder: Path) -> None:
    """Hold everything that an index tells against the archive."""
    archive = ArchiveReader.open(folder)
    rows = list(archive.rows())
    with ArchiveIndex.open(folder) as index:
        assert list(index.rows()) == rows
        assert index.count() == len(rows)
        assert index.tally() == Tally.of(map(report_row, rows))
        total = totals(map(report_row, rows), 0)
        worst = None if total.worst_path is None else Worst(total.worst_ms_ssim or 0.0, total.worst_path)
        assert index.worst() == worst
        versions = [version for found in read_versions(archive).values() for version in found]
        assert list(index.versions()) == versions
        assert index.bytes_on_disk() == archive.bytes_on_disk()
        assert {str(one) for one in archive.damage} <= {str(one) for one in index.damage(EVERYTHING)}


def test_rows_of_every_shape_come_back_as_they_are(tmp_path: Path) -> None:
    """All fields, of pictures, of what is stored as it is, of shared content, and of times beyond 64 bits."""
    folder = tmp_path / "x.bca"
    archive_that_shares(folder)
    odd = {"mtime_ns": -(2**63) * 10**9, "quality": 50.5, "recipe": "target", "engine": "e", "ssimulacra2": -3.25}
    write_archive(folder, [(sample_row("odd", pixels_sha256="0f" * 16, unpacked_bytes=9, **odd), b"odd")])
    assert_true(folder)
    assert len(indexed(folder)) == 7


def test_a_new_version_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    """In a later segment as in the same one; the old ones are still there as versions."""
    folder = tmp_path / "x.bca"
    add(folder, "a", "b", "a")
    assert_true(folder)
    add(folder, "b", "c")
    assert_true(folder)
    assert [(row.path, row.segment) for row in indexed(folder)] == [("a", 1), ("b", 2), ("c", 2)]
    assert [(row.path, row.segment) for row in indexed(folder, version_number(1))] == [("a", 1), ("b", 1), ("c", 2)]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(st.sampled_from("abcde"), min_size=1, max_size=4), min_size=1, max_size=6), st.data())
def test_it_follows_whatever_happens(
    tmp_path_factory: pytest.TempPathFactory, segments: list[list[str]], data: st.DataObject
) -> None:
    """Segments come, are pruned, lost and damaged between any two looks, and it says what the manifests say."""
    folder = tmp_path_factory.mktemp("made") / "x.bca"
    for paths in segments:
        add(folder, *paths)
        match data.draw(st.sampled_from(["look", "go on", "prune", "lose", "break"])):
            case "look":
                assert_true(folder)
            case "prune":
                dropped = data.draw(st.sampled_from("abcde"))
                if not ArchiveReader.open(folder).damage and {row.path for row in read(folder)} - {dropped}:
                    try:
                        prune(folder, keep=Keep(last=1), gone=dropped.__eq__)
                    except ArchiveError:  # a row is damaged
                        continue
            case "lose":
                files = sorted(folder.glob("*.zip"))
                if len(files) > 1:
                    data.draw(st.sampled_from(files)).unlink()
            case "break":
                last = int(max(folder.glob("*.zip")).stem)
                break_rows(folder, last, data.draw(st.sets(st.sampled_from("abcde"))))
    assert_true(folder)
    with ArchiveIndex.open(folder, rebuild=True):
        assert_true(folder)


def test_only_what_changed_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second look opens no segment, and one after a run opens the new one."""
    folder = tmp_path / "x.bca"
    add(folder, "a")
    add(folder, "b")
    with ArchiveIndex.open(folder):
        pass
    opened: list[int] = []
    from batchcomp.index import reading  # noqa: PLC0415  # what is watched

    real = reading.open_segment
    monkeypatch.setattr(reading, "open_segment", lambda store, number: opened.append(number) or real(store, number))
    assert len(indexed(folder)) == 2
    assert opened == []
    add(folder, "c")
    assert len(indexed(folder)) == 3
    assert opened == [3]


def test_a_replaced_segment_is_seen(tmp_path: Path) -> None:
    """The same name, number and size with other content: its file is another one."""
    folder = tmp_path / "x.bca"
    add(folder, "a")
    assert [row.path for row in indexed(folder)] == ["a"]
    add(tmp_path / "y.bca", "b")
    (tmp_path / "y.bca/000001.zip").replace(folder / "000001.zip")
    assert [row.path for row in indexed(folder)] == ["b"]


def test_another_archive_at_the_same_place_is_another_archive(tmp_path: Path) -> None:
    """Nothing is left of the one that was there before."""
    folder = tmp_path / "x.bca"
    add(folder, "a", "b")
    add(folder, "c")
    assert len(indexed(folder)) == 3
    folder.rename(tmp_path / "y.bca")
    add(folder, "d")
    assert [row.path for row in indexed(folder)] == ["d"]
    assert len(indexed(tmp_path / "y.bca")) == 3


def test_damage_is_told_every_time(tmp_path: Path) -> None:
    """Of segments, rows and gaps; a damaged row supersedes those before it."""
    folder = tmp_path / "x.bca"
    add(folder, "a", "b")
    add(folder, "b")
    add(folder, "c")
    add(folder, "d")
    break_rows(folder, 2, ["b"])
    (folder / "000003.zip").write_bytes(b"rubbish")
    (folder / "000004.zip").rename(folder / "000005.zip")
    for _ in range(2):
        with ArchiveIndex.open(folder) as index:
            assert [row.path for row in index.rows()] == ["a"]
            reasons = [str(one) for one in index.damage()]
        assert len(reasons) == 4
        assert "000002.zip" in reasons[0]
        assert "a row breaks the rules" in reasons[0]
        assert "000003.zip: not a complete ZIP file" in reasons[1]
        assert "it was renamed or copied" in reasons[2]
        assert reasons[3] == "000004.zip: the segment is missing"


def test_a_damaged_row_that_is_superseded_is_no_damage_of_what_is_current(tmp_path: Path) -> None:
    """`list` has nothing to say of it, `list --versions` has."""
    folder = tmp_path / "x.bca"
    add(folder, "a")
    break_rows(folder, 1, ["a"])
    add(folder, "a")
    with ArchiveIndex.open(folder) as index:
        assert index.damage(CURRENT) == []
        assert len(index.damage(EVERYTHING)) == 1
        assert [version.row is None for version in index.versions("a")] == [True, False]


def test_what_was_repaired_is_sound(tmp_path: Path) -> None:
    """Damage is not remembered."""
    folder = tmp_path / "x.bca"
    add(folder, "a")
    kept = (folder / "000001.zip").read_bytes()
    (folder / "000001.zip").write_bytes(kept[:-1])
    assert indexed(folder) == []
    (folder / "000001.zip").write_bytes(kept)
    assert len(indexed(folder)) == 1


def test_a_view_stays_what_it_was_when_it_was_opened(tmp_path: Path) -> None:
    """A writer and another reader go on meanwhile, and disturb nobody."""
    folder = tmp_path / "x.bca"
    add(folder, "a", "b")
    with ArchiveIndex.open(folder) as index:
        rows = index.rows()
        assert next(rows).path == "a"
        add(folder, "b", "c")
        assert [row.path for row in indexed(folder)] == ["a", "b", "c"]
        assert [(row.path, row.segment) for row in rows] == [("b", 1)]
        assert index.count() == 2


def test_there_is_no_index_without_an_archive(tmp_path: Path, cache_folder: Path) -> None:
    """The error is that of every command, and nothing is left in the cache."""
    with pytest.raises(ArchiveNotFoundError, match="there is no such archive"):
        ArchiveIndex.open(tmp_path / "none.bca")
    assert list(cache_folder.rglob("*.sqlite")) == []


def test_a_moment_is_what_the_archive_held_then(tmp_path: Path) -> None:
    """Up to the segments that were closed by then."""
    folder = tmp_path / "x.bca"
    for year in (2024, 2025, 2026):
        with ArchiveWriter(folder, now=lambda year=year: fixed_now().replace(year=year)) as writer:  # type: ignore[misc]
            writer.add(sample_row("a"), b"%d" % year)
            writer.add(sample_row(f"{year}"), b"%d" % year)
    with ArchiveIndex.open(folder) as index:
        held = [
            [(row.path, row.segment) for row in index.rows(index.at(fixed_now().replace(year=year, month=6)))]
            for year in (2023, 2024, 2025, 2026)
        ]
    assert held == [
        [],
        [("a", 1), ("2024", 1)],
        [("2024", 1), ("a", 2), ("2025", 2)],
        [("2024", 1), ("2025", 2), ("a", 3), ("2026", 3)],
    ]


def test_three_kinds_of_pictures_have_the_sums_of_a_report(tmp_path: Path) -> None:
    """One row a segment is enough for them."""
    three_pictures(tmp_path / "x.bca")
    with ArchiveIndex.open(tmp_path / "x.bca") as index:
        assert (index.tally()["pictures"], index.tally()["compact"], index.tally()["verbatim"]) == (3, 2, 1)


def test_records_and_ids_are_of_damaged_ones_too(tmp_path: Path) -> None:
    """A damaged row has an id and a path; `rows` leaves it out."""
    folder = tmp_path / "x.bca"
    add(folder, "a", "b")
    add(folder, "b")
    break_rows(folder, 2, ["b"])
    with ArchiveIndex.open(folder) as index:
        (a, b), row = index.ids(order="p.path"), next(iter(index.rows()))
        assert list(index.records()) == [(a, "a", row), (b, "b", None)]
        assert list(index.ids(order="p.path DESC")) == [b, a]
        assert [path for _, path, _ in index.records(EVERYTHING)] == ["a", "b", "b"]


def test_folders_are_counted_by_what_lies_in_them(tmp_path: Path) -> None:
    """Current pictures of each, without those below it."""
    folder = tmp_path / "x.bca"
    add(folder, "a.jpg", "a/1.jpg", "a/b/2.jpg", "a0/3.jpg", "a/b/4.jpg", "A/5.jpg")
    add(folder, "a/1.jpg")
    with ArchiveIndex.open(folder) as index:
        assert dict(index.folders()) == {"": 1, "a": 1, "a/b": 2, "a0": 1, "A": 1}
