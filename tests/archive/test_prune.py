"""Pruning drops what it is asked to drop, and nothing else."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from batchcomp.archive import ArchiveReader, ArchiveWriter, durable, prune, verify
from batchcomp.archive.manifest import row_lines
from batchcomp.archive.segment import quick_manifest
from batchcomp.errors import ArchiveDamagedError, ArchiveError, ArchiveLockedError, UsageError

from .samples import fixed_now, sample_row, three_pictures, write_archive


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return an archive with three versions of one picture and one of another."""
    for number in range(3):
        write_archive(tmp_path / "x.bca", [(sample_row("a.png", mtime_ns=number), b"version %d" % number)])
    write_archive(tmp_path / "x.bca", [(sample_row("b.png"), b"other")])
    return tmp_path / "x.bca"


def versions(folder: Path) -> list[tuple[str, bytes]]:
    archive = ArchiveReader.open(folder)
    return [(row.path, archive.read(row)) for row in archive.all_rows()]


@pytest.mark.parametrize(("keep", "left"), [(1, 1), (2, 2), (3, 3), (9, 3)])
def test_the_last_versions_stay(folder: Path, keep: int, left: int) -> None:
    """`keep_last` counts versions of a path, the newest included; the order of what stays does not change."""
    found = prune(folder, keep_last=keep)
    assert len(found.dropped) == 3 - left
    assert versions(folder) == [*[("a.png", b"version %d" % n) for n in range(3 - left, 3)], ("b.png", b"other")]
    assert verify(folder).ok
    assert prune(folder, keep_last=keep).rewritten == ()


def test_a_dry_run_changes_nothing(folder: Path) -> None:
    """It names what would go, with the reason, and needs no lock."""
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with ArchiveWriter(folder):
        found = prune(folder, dry_run=True, gone=lambda path: path == "b.png")
    assert [(one.row.path, one.reason) for one in found.dropped] == [
        ("a.png", "superseded"), ("a.png", "superseded"), ("b.png", "the original is gone"),
    ]  # fmt: skip
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_locked_archive_is_left_alone(folder: Path) -> None:
    """Pruning is writing, so there is one at a time."""
    with ArchiveWriter(folder), pytest.raises(ArchiveLockedError):
        prune(folder)


def test_numbers_leave_no_gap(folder: Path) -> None:
    """A segment of which nothing is left stays as an empty one, so that a missing number remains damage."""
    prune(folder)
    assert sorted(path.name for path in folder.glob("*.zip")) == [f"{n:06d}.zip" for n in range(1, 5)]
    assert (folder / "000001.zip").stat().st_size < 500
    write_archive(folder, [(sample_row("c.png"), b"later")])
    assert versions(folder)[-1] == ("c.png", b"later")
    assert verify(folder).ok


def test_shared_content_outlives_its_name(tmp_path: Path) -> None:
    """What a kept row shares is held, without a row that lists it, until nothing shares it any more."""
    folder = tmp_path / "x.bca"
    first = three_pictures(folder)[0]
    with ArchiveWriter(folder, now=fixed_now) as writer:
        writer.add_shared(sample_row("moved.png"), first)
    prune(folder, gone=lambda path: path == "photos/a.png")
    assert [path for path, _ in versions(folder)] == ["photos/ü 1.tif", "b.jpg", "moved.png"]
    assert versions(folder)[-1][1] == b"first payload" * 20
    assert sum(line.startswith(b'{"type":"held"') for line in row_lines(quick_manifest(folder, 1))) == 1
    assert verify(folder).ok
    assert prune(folder).rewritten == ()
    prune(folder, gone=lambda path: path == "moved.png")
    assert [path for path, _ in versions(folder)] == ["photos/ü 1.tif", "b.jpg"]
    assert b"first payload" not in (folder / "000001.zip").read_bytes()
    assert verify(folder).ok


def test_nothing_is_dropped_for_a_damaged_version(folder: Path) -> None:
    """An old version goes only if what stays of the picture can be read: it might be the only good one."""
    data = (folder / "000003.zip").read_bytes()
    (folder / "000003.zip").write_bytes(data.replace(b"version 2", b"version ?"))
    with pytest.raises(ArchiveDamagedError, match=r"payload is damaged.*first `batchcomp repair"):
        prune(folder)
    assert (folder / "000001.zip").read_bytes().count(b"version 0") == 1


def test_all_go_in_one_step(tmp_path: Path) -> None:
    """Pictures of several segments, of several versions, shared and alone: whenever it ends, all are there or none."""
    source = tmp_path / "x.bca"
    for number, names in enumerate([["a", "b"], ["a", "c"], ["c", "d"], ["e"]]):
        with ArchiveWriter(source, now=fixed_now) as writer:
            for name in names:
                digest = f"{number}{ord(name):x}".ljust(64, "0")
                owner = writer.add(sample_row(f"{name}.png", source_sha256=digest), f"{name}{number}".encode())
            writer.add_shared(sample_row(f"{number}.jpg"), owner)
    gone = {"a.png", "c.png", "0.jpg", "1.jpg", "d.png"}
    everything = {row.path for row in ArchiveReader.open(source).rows()}
    seen, at, done = set[frozenset[str]](), 0, False
    while not done:
        folder, at = tmp_path / f"{at}.bca", at + 1
        shutil.copytree(source, folder)
        done = ended_at(lambda folder=folder: prune(folder, gone=gone.__contains__), at)
        assert verify(folder).ok
        archive = ArchiveReader.open(folder)
        current = {row.path: archive.read(row) for row in archive.rows()}
        assert current.keys() in (everything, everything - gone)
        seen.add(frozenset(current))
        prune(folder, gone=gone.__contains__)
        assert {row.path for row in ArchiveReader.open(folder).all_rows()} == everything - gone
        assert verify(folder).ok
    assert len(seen) == 2


def ended_at(run: Callable[[], object], step: int) -> bool:
    """Run, and end it at a step of the disk as a kill would; tell whether it came to its end."""
    seen = 0

    class KilledError(Exception):
        pass

    def watch(_step: durable.Step) -> None:
        nonlocal seen
        seen += 1
        if seen >= step:
            raise KilledError

    try:
        with durable.watched(watch):
            run()
    except KilledError:
        return False
    return True


def test_unknown_lines_are_kept(folder: Path) -> None:
    """Lines of types that a later version adds pass through a rewrite as they are."""
    from batchcomp.archive.growing import GrowingSegment  # noqa: PLC0415  # only here
    from batchcomp.archive.segment import open_segment  # noqa: PLC0415  # only here

    segment, growing = open_segment(folder, 1), GrowingSegment(folder, 1)
    for line in segment.row_lines():
        growing.append_line(b'{"type":"note","text":"from the future"}\n')
        growing.append(segment.row(line), line, segment.read(segment.row(line)))
    growing.finish(fixed_now(), instead=True)
    assert verify(folder).ok
    prune(folder)
    assert b"from the future" in quick_manifest(folder, 1)
    assert verify(folder).ok


def test_zero_versions_are_refused(folder: Path) -> None:
    """There is no way to ask for an empty archive by a number."""
    with pytest.raises(UsageError, match="expected 1 or more"):
        prune(folder, keep_last=0)


def test_readers_go_on_while_segments_are_replaced(folder: Path) -> None:
    """A reader that opened an archive before it was pruned gets the current pictures, or a clear error."""
    archive = ArchiveReader.open(folder)
    rows = list(archive.rows())
    assert [archive.read(row) for row in rows] == [b"version 2", b"other"]
    old = next(row for row in archive.all_rows() if row.mtime_ns == 0)
    prune(folder)
    assert [archive.read(row) for row in rows] == [b"version 2", b"other"]
    assert list(archive.rows()) == rows
    with pytest.raises(Exception, match="pruned meanwhile"):
        archive.read(old)


def test_a_look_after_prune_finds_what_came_meanwhile(folder: Path) -> None:
    """The newest version a reader knew of was pruned: it finds the one that took its place, never none or an older."""
    archive = ArchiveReader.open(folder)
    for number in (3, 4):
        write_archive(folder, [(sample_row("a.png"), b"version %d" % number)])
    prune(folder)
    assert {row.path: archive.read(row) for row in archive.rows()}["a.png"] == b"version 4"


def test_a_prune_amid_a_look_hides_no_path(folder: Path) -> None:
    """Rows are found one after the other; those that were pruned meanwhile are replaced by their successors."""
    archive = ArchiveReader.open(folder)
    rows = archive.rows()
    seen = [next(rows)]
    for number in (3, 4):
        write_archive(folder, [(sample_row(path), b"version %d" % number) for path in ("a.png", "b.png")])
    prune(folder)
    seen += list(rows)
    assert sorted(row.path for row in seen) == ["a.png", "b.png"]
    assert archive.read(seen[1]) == b"version 4"


def test_five_readers_during_writes_and_prunes(tmp_path: Path) -> None:
    """Readers see whole segments only: every look finds a sound archive, never an older version."""
    folder = tmp_path / "x.bca"
    write_archive(folder, [(sample_row("a.png"), b"version 0")])
    stop, problems, looks = threading.Event(), list[object](), list[int]()

    def read() -> None:
        newest = 0
        try:
            while not stop.is_set():
                archive = ArchiveReader.open(folder)
                row = {row.path: row for row in archive.rows()}["a.png"]
                try:
                    version = int(archive.read(row).split()[1])
                except ArchiveError as error:
                    assert "pruned meanwhile" in str(error)  # noqa: PT017  # two versions came since; said, not hidden
                    continue
                assert version >= newest
                newest = version
                assert not archive.damage
                looks.append(version)
        except Exception as error:  # noqa: BLE001  # told by the main thread
            problems.append(error)

    readers = [threading.Thread(target=read) for _ in range(5)]
    for reader in readers:
        reader.start()
    for number in range(1, 25):
        write_archive(folder, [(sample_row("a.png"), b"version %d" % number)])
        if number % 6 == 0:
            prune(folder, keep_last=2)
    stop.set()
    for reader in readers:
        reader.join()
    assert problems == []
    assert len(looks) > 25
    assert verify(folder).ok


names = st.sampled_from(["a", "b", "c", "d"])
contents = st.sampled_from([b"1", b"2", b"3", b"4"])


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.lists(st.tuples(names, contents), max_size=4), min_size=1, max_size=5),
    st.integers(1, 3),
    st.frozensets(names, max_size=2),
)
def test_any_history_prunes_to_what_was_asked(
    tmp_path_factory: pytest.TempPathFactory, runs: list[list[tuple[str, bytes]]], keep: int, gone: frozenset[str]
) -> None:
    """Whatever was written and shared, exactly the last versions stay, with their bytes, in their order."""
    folder = tmp_path_factory.mktemp("prune") / "x.bca"
    history: list[tuple[str, bytes]] = []
    owners: dict[bytes, object] = {}
    for run in runs:
        with ArchiveWriter(folder, now=fixed_now) as writer:
            for name, data in run:
                row = sample_row(name, source_sha256=data.hex() * 32)
                owner = owners.get(data)
                done = writer.add_shared(row, owner) if owner else writer.add(row, data)  # type: ignore[arg-type]
                owners[data] = done
                history.append((name, data))
    if not history:
        return
    wanted, seen = list[tuple[str, bytes]](), dict[str, int]()
    for name, data in reversed(history):
        seen[name] = seen.get(name, 0) + 1
        if seen[name] <= keep and name not in gone:
            wanted.insert(0, (name, data))
    prune(folder, keep_last=keep, gone=lambda path: path in gone)
    assert versions(folder) == wanted
    assert verify(folder).ok


@pytest.mark.parametrize(
    ("count", "going", "percent", "refused"),
    [
        (20, 2, 10, False), (20, 3, 10, True), (20, 3, 15, False), (3, 1, 10, False), (3, 2, 10, True),
        (2, 1, 10, False), (1, 1, 10, True), (1, 1, 100, False), (3, 1, 0, True), (3, 0, 0, False), (3, 3, 99, True),
    ],
)  # fmt: skip
def test_more_than_a_share_is_refused(tmp_path: Path, count: int, going: int, percent: float, refused: bool) -> None:
    """One picture of few may go, all of them only where everything may; superseded versions do not count."""
    for _ in range(2):
        write_archive(tmp_path / "x.bca", [(sample_row(f"{number}.png"), b"data") for number in range(count)])
    gone = [f"{number}.png" for number in range(going)]
    found = prune(tmp_path / "x.bca", gone=lambda path: path in gone, max_drop=percent, dry_run=True)
    assert bool(found.refusal) is refused
    assert len(found.dropped) == count + going
    with pytest.raises(UsageError, match="would go for good") if refused else nullcontext():
        prune(tmp_path / "x.bca", gone=lambda path: path in gone, max_drop=percent)
