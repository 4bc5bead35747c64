"""What is merely called like a segment is named, left alone, and costs no time or memory."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from batchcomp.archive import ArchiveReader, ArchiveWriter, prune, repair, verify
from batchcomp.archive.segments import look, segment_numbers

from .samples import sample_row, write_archive
from .test_repair import describe


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return an archive of two segments."""
    for number in range(2):
        write_archive(tmp_path / "x.bca", [(sample_row(f"{number}.png"), b"data %d" % number)])
    return tmp_path / "x.bca"


def facts(path: Path) -> tuple[int, ...]:
    """Return what must not change."""
    status = path.lstat()
    return status.st_ino, status.st_mode, status.st_size, status.st_mtime_ns


def check(folder: Path, *names: str) -> None:
    """Every command works as if the files were not there, and leaves them there."""
    before = {name: facts(folder / name) for name in names}
    assert sorted(one.name for one in look(folder).foreign) == sorted(names)
    assert verify(folder).ok
    assert prune(folder).dropped == ()
    assert repair(folder, describe).segments == ()
    assert [row.path for row in ArchiveReader.open(folder).rows()] == ["0.png", "1.png"]
    with ArchiveWriter(folder) as writer:
        writer.add(sample_row("2.png"), b"data 2")
    with ArchiveReader.open(folder) as archive:
        assert [archive.read(row) for row in archive.rows()] == [b"data 0", b"data 1", b"data 2"]
    assert verify(folder).ok
    assert repair(folder, describe).segments == ()
    assert {name: facts(folder / name) for name in names} == before


@pytest.mark.parametrize("name", ["0000001.zip", "000000.zip", "1.zip", "000001.ZIP", "00000003.zip", "000001 (1).zip"])
def test_a_name_that_is_not_exact(folder: Path, name: str) -> None:
    """A leading zero too many or too few makes another name: it never counts as a segment, nor twice."""
    shutil.copy(folder / "000001.zip", folder / name)
    check(folder, name)


@pytest.mark.parametrize("name", ["20261125.zip", "300000000.zip", "261125.zip", "999999999999.zip", "9" * 40 + ".zip"])
@pytest.mark.parametrize("content", [b"", b"rubbish" * 99])
def test_a_date_or_a_large_number(folder: Path, name: str, content: bytes) -> None:
    """Far from the others a file must say that it is that segment; no time goes into the numbers between."""
    (folder / name).write_bytes(content)
    check(folder, name)


def test_many_dates(folder: Path) -> None:
    """They are neighbours of one another, and none says that it is a segment."""
    names = [f"202611{day:02d}.zip" for day in range(1, 31)]
    for name in names:
        (folder / name).write_bytes(b"")
    check(folder, *names)


@pytest.mark.parametrize("name", ["000009.zip", "20261125.zip"])
def test_a_copy_behind_a_gap(folder: Path, name: str) -> None:
    """It says that it is another segment, so there was none of its number."""
    shutil.copy(folder / "000001.zip", folder / name)
    check(folder, name)


@pytest.mark.parametrize("name", ["000003.zip", "000004.zip", "20261125.zip"])
@pytest.mark.parametrize("kind", ["folder", "link", "broken link", "pipe"])
def test_what_is_no_regular_file(folder: Path, name: str, kind: str) -> None:
    """A folder, a link or a pipe of a segment's name is none, and the writer takes the number after it."""
    path = folder / name
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        if not hasattr(os, "mkfifo"):
            pytest.skip("this system has no pipes with names")
        os.mkfifo(path)
    else:
        path.symlink_to("000001.zip" if kind == "link" else "nowhere")
    check(folder, name)


def test_a_number_that_was_left_out_is_no_gap(folder: Path) -> None:
    """The header after a foreign name says which segment came before, also once that name is gone."""
    (folder / "000003.zip").mkdir()
    write_archive(folder, [(sample_row("2.png"), b"data 2")])
    assert segment_numbers(folder) == [1, 2, 4]
    (folder / "000003.zip").rmdir()
    assert verify(folder).ok
    (folder / "000002.zip").unlink()
    assert [(one.segment, one.reason) for one in verify(folder).damage] == [("000002.zip", "the segment is missing")]


def test_a_gap_is_one_range(folder: Path) -> None:
    """A true segment far away leaves one finding and one segment to write, not millions."""
    (folder / "000003.zip").mkdir()
    with ArchiveWriter(folder, segment_bytes=1) as writer:
        writer.add(sample_row("2.png"), b"data")
        writer.add(sample_row("3.png"), b"data")
    far = b'"segment":300000000,'
    number = folder / "300000000.zip"
    write_far(number)
    assert far in number.read_bytes()
    damage = [str(one) for one in verify(folder).damage]
    assert damage == ["000006.zip to 299999999.zip: the segments are missing"]
    found = repair(folder, describe)
    assert [lost.path for lost in found.lost] == ["000006.zip to 299999999.zip"]
    assert segment_numbers(folder) == [1, 2, 4, 5, 299_999_999, 300_000_000]
    assert verify(folder).ok
    assert repair(folder, describe).segments == ()


def write_far(path: Path) -> None:
    """Write a sound segment of a large number."""
    from batchcomp.archive.growing import GrowingSegment  # noqa: PLC0415  # only here

    from .samples import fixed_now  # noqa: PLC0415

    GrowingSegment(path.parent, int(path.stem)).finish(fixed_now())
