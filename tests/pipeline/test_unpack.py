"""Every path gets its file, whatever it shares."""

from __future__ import annotations

import stat
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from batchcomp.archive import ArchiveWriter
from batchcomp.pipeline.records import Done
from batchcomp.pipeline.unpack import unpack_archive
from tests.archive.samples import sample_row, verbatim_row


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return an archive in which one entry has three names, and names meet across segments."""
    with ArchiveWriter(tmp_path / "x.bca") as writer:
        first = writer.add(sample_row("a.png", permissions=0o600), b"first")
        writer.add_shared(sample_row("copy.png", mtime_ns=5 * 10**18, permissions=0o640), first)
        writer.commit()
        writer.add_shared(sample_row("sub/copy.png"), first)
        writer.add(verbatim_row("a.png.jpg", source_sha256="12" * 32), b"second")
        other = writer.add(verbatim_row("b.jpg", source_sha256="34" * 32), b"third")
        writer.add_shared(verbatim_row("copy.png.jpg", source_sha256="34" * 32), other)
    return tmp_path / "x.bca"


WANTED = {
    "a.png.jpg": b"first",
    "a.png~2.jpg": b"second",
    "copy.png.jpg": b"first",
    "copy.png~2.jpg": b"third",
    "sub/copy.png.jpg": b"first",
    "b.jpg": b"third",
}


def files(out: Path) -> dict[str, bytes]:
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*") if path.is_file()}


@pytest.mark.parametrize("force", [False, True])
def test_every_path_gets_its_file(folder: Path, tmp_path: Path, *, force: bool) -> None:
    """With and without `force`, and the count is that of the files."""
    events = list(unpack_archive(folder, [], tmp_path / "out", force=force))
    assert Counter(map(type, events)) == {Done: 6}
    assert files(tmp_path / "out") == WANTED
    again = list(unpack_archive(folder, [], tmp_path / "out", force=force))
    assert Counter(isinstance(event, Done) for event in again) == {force: 6}


@pytest.mark.parametrize("pattern", ["sub/copy.png", "copy.png.jpg", "a.png.jpg"])
def test_a_pattern_that_takes_only_the_sharing_path(folder: Path, tmp_path: Path, pattern: str) -> None:
    """It gets the name that it has among all."""
    (event,) = unpack_archive(folder, [pattern], tmp_path / "out", force=False)
    assert isinstance(event, Done)
    assert files(tmp_path / "out") == {event.name: WANTED[event.name]}
    assert event.row is not None
    assert event.row.path == pattern


def test_a_file_and_a_folder_of_one_name(tmp_path: Path) -> None:
    """Where a folder took a picture's place, the picture of before gets a number, in whichever order they came."""
    for number, paths in enumerate([["trip.png", "trip.png/a.gif"], ["trip.png/a.gif", "trip.png"]]):
        folder = tmp_path / f"{number}.bca"
        for path in paths:
            with ArchiveWriter(folder) as writer:
                writer.add(verbatim_row(path, source_sha256=path.encode().hex()[:2] * 32), path.encode())
        events = list(unpack_archive(folder, [], tmp_path / str(number), force=False))
        assert Counter(map(type, events)) == {Done: 2}
        assert files(tmp_path / str(number)) == {"trip~2.png": b"trip.png", "trip.png/a.gif": b"trip.png/a.gif"}


def test_earlier_versions(tmp_path: Path) -> None:
    """Those of a moment, or of a number."""
    for day, data in enumerate([b"old", b"new"], 1):
        with ArchiveWriter(tmp_path / "x.bca", now=lambda day=day: datetime(2026, 1, day, tzinfo=UTC)) as writer:
            writer.add(verbatim_row("a.gif", source_sha256=data.hex()[:2] * 32), data)
    for name, options, wanted in (
        ("now", {}, b"new"),
        ("first", {"version": 1}, b"old"),
        ("then", {"at": datetime(2026, 1, 1, 12, tzinfo=UTC)}, b"old"),
    ):
        list(unpack_archive(tmp_path / "x.bca", [], tmp_path / name, force=False, **options))  # type: ignore[arg-type]
        assert files(tmp_path / name) == {"a.gif": wanted}


def test_times_and_permissions_are_the_paths_own(folder: Path, tmp_path: Path) -> None:
    """What shares an entry does not share these."""
    list(unpack_archive(folder, [], tmp_path / "out", force=False))
    status = (tmp_path / "out" / "copy.png.jpg").stat()
    assert (status.st_mtime_ns, stat.S_IMODE(status.st_mode)) == (5 * 10**18, 0o640)
    assert stat.S_IMODE((tmp_path / "out" / "a.png.jpg").stat().st_mode) == 0o600
