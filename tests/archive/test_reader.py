"""What went into an archive comes out of it; damage is named and stops only what it hits."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from batchcomp.archive import ArchiveReader, ArchiveWriter, reader, verify
from batchcomp.archive.rows import json_line, row_from_json, with_crc
from batchcomp.errors import ArchiveDamagedError, ArchiveError, ArchiveNotFoundError
from batchcomp.kinds import KINDS, Kind

from .forge import MANIFEST, add_line, flip, forge, payloads, picture, repack
from .samples import sample_row, three_pictures, write_archive


def test_a_damaged_payload_stops_only_itself(segment: Path) -> None:
    """The error names segment and entry; the other pictures are read as before."""
    flip(segment, segment.read_bytes().index(b"second payload"))
    archive = ArchiveReader.open(segment.parent)
    rows = list(archive.rows())
    assert archive.damage == []
    with pytest.raises(ArchiveDamagedError, match=r"000001\.zip: 'photos/ü 1\.tif': the payload is damaged") as error:
        archive.read(rows[1])
    assert error.value.exit_code == 4
    assert archive.read(rows[0]).startswith(b"first")
    seen: list[tuple[str, bool]] = []
    report = verify(segment.parent, on_entry=lambda row, damage: seen.append((row.path, damage is None)))
    assert seen == [("photos/a.png", True), ("photos/ü 1.tif", False), ("b.jpg", True)]
    assert [damage.entry for damage in report.damage] == ["photos/ü 1.tif"]


def test_a_damaged_segment_does_not_stop_the_others(tmp_path: Path) -> None:
    """Pictures of the sound segments are listed and read although one cannot be opened."""
    folder = tmp_path / "x.bca"
    for number in range(3):
        write_archive(folder, [(sample_row(f"{number}.png"), b"data")])
    (folder / "000002.zip").write_bytes(b"rubbish")
    archive = ArchiveReader.open(folder)
    assert [row.path for row in archive.rows()] == ["0.png", "2.png"]
    assert [str(damage)[:10] for damage in archive.damage] == ["000002.zip"]


def test_a_newer_version_is_refused(tmp_path: Path) -> None:
    """Reader, verify and writer say which version it is and what to do."""
    folder = tmp_path / "x.bca"
    forge(folder, [picture()], [("a.png.jpg", b"data")], version=2)
    for attempt in (lambda: ArchiveReader.open(folder), lambda: verify(folder), ArchiveWriter(folder).__enter__):
        with pytest.raises(ArchiveError, match="archive version 2: this build reads up to 1; upgrade batchcomp"):
            attempt()


def test_unknown_fields_and_lines_are_passed_over(tmp_path: Path) -> None:
    """What a later minor version adds does not disturb this one."""
    rows = [picture(colour="blue"), picture(path="c.png")]
    forge(tmp_path / "x.bca", rows, [("a.png.jpg", b"data")], novelty=1)
    archive = ArchiveReader.open(tmp_path / "x.bca")
    assert [row.path for row in archive.rows()] == ["a.png", "c.png"]
    assert archive.damage == []
    assert archive.read(next(archive.rows())) == b"data"


@pytest.mark.parametrize(
    "fields",
    [
        {"path": "../a.png"},
        {"path": "/a.png"},
        {"path": "C:/a.png"},
        {"entry": MANIFEST},
        {"entry": 7},
        {"stored": "../x"},
        {"width": -1},
        {"width": True},
        {"width": 1.5},
        {"quality": 101},
        {"mtime_ns": 2**63 * 10**9},
        {"permissions": 0o10000},
        {"payload_sha256": "AB" * 32},
        {"model": "abc"},
        {"ms_ssim": 1e999},
        {"ms_ssim": "0.9"},
        {"seconds": None},
        {"reason": "x" * 1001},
        {"mode": "\ud800"},
        {"jpeg": {"quality": 0, "bytes": 1, "ms_ssim": 0.5, "bytes_at_ms_ssim": None}},
        {"jpeg": [1]},
        {"jpeg": {}},
    ],
)
def test_hostile_rows_are_left_out(tmp_path: Path, fields: dict[str, Any]) -> None:
    """A row that breaks a rule is damage of its own; its neighbour is served."""
    with pytest.raises(ValueError, match=next(iter(fields))):
        row_from_json({**picture(), **fields}, 1)
    value = with_crc(json.dumps({**picture(path="bad.png"), **fields}, separators=(",", ":")).encode() + b"\n")
    forge(tmp_path / "x.bca", [picture()], [("a.png.jpg", b"data")])
    repack(tmp_path / "x.bca" / "000001.zip", lambda data: add_line(data, value))
    archive = ArchiveReader.open(tmp_path / "x.bca")
    assert [row.path for row in archive.rows()] == ["a.png"]
    assert [damage.reason[:5] for damage in archive.damage] == ["a row"]
    assert "crc" not in archive.damage[0].reason


def test_a_row_without_checksum_is_damage(tmp_path: Path) -> None:
    """Every row proves itself: one that lacks its own checksum is not used."""
    forge(tmp_path / "x.bca", [picture()], [("a.png.jpg", b"data")])
    repack(tmp_path / "x.bca" / "000001.zip", lambda data: add_line(data, json_line(picture(path="bad.png"))))
    archive = ArchiveReader.open(tmp_path / "x.bca")
    assert [row.path for row in archive.rows()] == ["a.png"]
    assert "no checksum" in archive.damage[0].reason


def test_a_damaged_newer_row_hides_the_older(tmp_path: Path) -> None:
    """An old version of a picture is never passed off as the current one."""
    forge(tmp_path / "x.bca", [picture()], [("a.png.jpg", b"data")])
    line = with_crc(json_line(picture(entry="a.png~2.jpg", width=-1)))
    repack(tmp_path / "x.bca" / "000001.zip", lambda data: add_line(data, line))
    archive = ArchiveReader.open(tmp_path / "x.bca")
    assert list(archive.rows()) == []
    assert "width" in archive.damage[0].reason


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.lists(st.tuples(st.integers(0, 10**4), st.binary(min_size=1, max_size=8)), min_size=1, max_size=4))
def test_random_damage_never_crashes(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[int, bytes]]
) -> None:
    """Whatever is overwritten, opening, listing and verifying end with damage or an ArchiveError, nothing else."""
    folder = tmp_path_factory.mktemp("random") / "x.bca"
    three_pictures(folder)
    sound = (folder / "000001.zip").read_bytes()
    data = bytearray(sound)
    for position, new in changes:
        at = position % len(data)
        data[at : at + len(new)] = new[: len(data) - at]
    (folder / "000001.zip").write_bytes(data)
    right = {b"first payload" * 20, b"second payload" * 10, b"third payload" * 5}
    try:
        assert set(payloads(folder).values()) <= right
        assert verify(folder).ok == (bytes(data) == sound)
    except ArchiveError as error:
        assert "version" in str(error)  # noqa: PT017  # a version is the one thing that stops everything


def test_rows_and_payloads_come_back(tmp_path: Path) -> None:
    """Rows come back equal and in order, payloads byte for byte, and verify is content."""
    written = three_pictures(tmp_path / "x.bca")
    archive = ArchiveReader.open(tmp_path / "x.bca")
    assert list(archive.rows()) == written
    assert archive.read(written[1]) == b"second payload" * 10
    assert (written[0].entry, written[1].entry) == ("photos/a.png.jpg", "photos/ü 1.tif")
    report = verify(tmp_path / "x.bca")
    assert report.ok
    assert (report.segments, report.entries, report.bytes) == (1, 3, archive.bytes_on_disk())


def test_later_rows_supersede(tmp_path: Path) -> None:
    """The last row of a path counts, within a segment and across segments; the order stays stable."""
    folder = tmp_path / "x.bca"
    write_archive(folder, [(sample_row("a"), b"1"), (sample_row("b"), b"2"), (sample_row("a"), b"3")])
    write_archive(folder, [(sample_row("c"), b"4"), (sample_row("b"), b"5")])
    archive = ArchiveReader.open(folder)
    assert [(row.path, archive.read(row)) for row in archive.rows()] == [("a", b"3"), ("c", b"4"), ("b", b"5")]
    assert len(list(archive.all_rows())) == 5
    assert verify(folder).entries == 5


def test_not_an_archive(tmp_path: Path) -> None:
    """Where there is no archive the error says so and has exit code 10."""
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "empty").mkdir()
    for name, words in (("none", "no such archive"), ("file", "is a file"), ("empty", "no finished segment")):
        with pytest.raises(ArchiveNotFoundError, match=words) as caught:
            ArchiveReader.open(tmp_path / name)
        assert caught.value.exit_code == 10


def test_unknown_kinds_are_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kind of a later version can be listed, read and checked; only decoding it is beyond this one."""
    with monkeypatch.context() as patch:
        patch.setitem(KINDS, "novel", Kind(code=9, suffix=".bcp"))  # type: ignore[arg-type]  # read-only for users
        write_archive(tmp_path / "x.bca", [(replace(sample_row(), stored="novel"), b"data"), (sample_row("b"), b"b")])
    archive = ArchiveReader.open(tmp_path / "x.bca")
    row = next(archive.rows())
    assert (row.stored, archive.read(row), archive.damage) == ("novel", b"data", [])
    assert verify(tmp_path / "x.bca").ok


def test_a_picture_is_found_by_its_path(tmp_path: Path) -> None:
    """The newest row of a path, or an error that says how to find the right name."""
    folder = tmp_path / "x.bca"
    write_archive(folder, [(sample_row("a"), b"1"), (sample_row("b"), b"2")])
    write_archive(folder, [(sample_row("a"), b"3")])
    with ArchiveReader.open(folder) as archive:
        assert archive.read(archive.row("a")) == b"3"
        assert archive.read(archive.row("b")) == b"2"
        with pytest.raises(ArchiveError, match=r"has no picture 'c'; `batchcomp list`"):
            archive.row("c")


def test_a_picture_with_a_damaged_row_is_an_error(tmp_path: Path) -> None:
    """An older version is not returned in its place."""
    forge(tmp_path / "x.bca", [picture()], [("a.png.jpg", b"data")])
    line = with_crc(json_line(picture(entry="a.png~2.jpg", width=-1)))
    repack(tmp_path / "x.bca" / "000001.zip", lambda data: add_line(data, line))
    with ArchiveReader.open(tmp_path / "x.bca") as archive, pytest.raises(ArchiveDamagedError, match="the row of"):
        archive.row("a.png")


@pytest.mark.parametrize(("kept", "opened"), [(3, 3), (2, 12)])
def test_segments_that_are_read_in_turns_are_opened_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: int, opened: int
) -> None:
    """As many as are kept; beyond that the one that was not asked for longest is opened anew."""
    rows = [write_archive(tmp_path / "a.bca", [(sample_row(f"{n}.png"), b"%d" % n)])[0] for n in range(3)]
    numbers = []
    real = reader.open_segment
    monkeypatch.setattr(reader, "open_segment", lambda store, number: (numbers.append(number), real(store, number))[1])
    archive = ArchiveReader(tmp_path / "a.bca", [], kept=kept)
    assert [archive.read(row) for row in rows * 4] == [b"0", b"1", b"2"] * 4
    assert len(numbers) == opened
