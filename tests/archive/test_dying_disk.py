"""What a disk cannot read any more is damage: it is named, the rest is had, and recovery data makes up for it."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from typing import Any

import pytest

from batchcomp.archive import mapped, repair, standing, verify
from batchcomp.archive.mapped import BLOCK, PIECE
from batchcomp.archive.reader import ArchiveReader
from batchcomp.archive.segment import UNREADABLE, open_segment
from batchcomp.archive.segments import parity_name, segment_name
from batchcomp.archive.store import folder as folder_store
from batchcomp.errors import ArchiveDamagedError

from .samples import fixed_now
from .test_parity import describe, files, make


@contextmanager
def bad_sectors(monkeypatch: pytest.MonkeyPatch, path: Path, first: int, last: int) -> Iterator[None]:
    """Let every read of these bytes of a file fail, as a disk does, whatever the file is called by then."""
    hurt = path.stat().st_ino

    class Failing(FileIO):
        def _left(self, size: int) -> int:
            """How many of so many bytes one call gives: it ends before a bad one, and fails at it."""
            begin = self.tell()
            if os.fstat(self.fileno()).st_ino != hurt or begin >= last or begin + size <= first:
                return size
            if begin >= first:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            return first - begin

        def read(self, size: int | None = -1, /) -> Any:
            size = -1 if size is None else size
            return self.readall() if size < 0 else super().read(self._left(size))

        def readall(self) -> Any:
            found = b""
            while more := self.read(PIECE):
                found += more
            return found

        def readinto(self, buffer: Any, /) -> Any:
            view = memoryview(buffer).cast("B")
            return super().readinto(view[: self._left(len(view))])

    with monkeypatch.context() as patched:
        patched.setattr(mapped, "FileIO", Failing)
        patched.setattr(folder_store, "FileIO", Failing)
        yield


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return make(tmp_path / "x.bca", pictures=8, size=20_000, parity=0.2)


def test_verify_names_it_and_goes_on(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One picture's bytes are gone: that one is damaged, all others are checked."""
    span = open_segment(archive, 1).spans["2.png.jpg"]
    with bad_sectors(monkeypatch, archive / segment_name(1), span.offset + 100, span.offset + 200):
        found = verify(archive)
        assert [(one.entry, one.reason) for one in found.damage] == [("2.png.jpg", UNREADABLE)]
        assert (found.entries, found.checked) == (8, 8)
        with ArchiveReader.open(archive) as reader:
            for row in reader.rows():
                if row.entry == "2.png.jpg":
                    with pytest.raises(ArchiveDamagedError, match="disk cannot read it"):
                        reader.read(row)
                else:
                    assert len(reader.read(row)) == 20_000


def test_the_end_of_a_segment(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Directory and manifest are gone: the reason is the disk, not another kind of file."""
    size = (archive / segment_name(1)).stat().st_size
    with bad_sectors(monkeypatch, archive / segment_name(1), size - 300, size):
        found = verify(archive)
        assert [one.reason for one in found.damage] == [UNREADABLE]


@pytest.mark.parametrize(("first", "last"), [(0, 10), (30_000, 40_000), (-400, -1)])
def test_recovery_data_makes_up_for_it(archive: Path, monkeypatch: pytest.MonkeyPatch, first: int, last: int) -> None:
    """A new file is written, sound to the byte, while the old one cannot be read."""
    before, size = files(archive), (archive / segment_name(1)).stat().st_size
    first, last = first % size, last % size
    with bad_sectors(monkeypatch, archive / segment_name(1), first, last):
        (one,) = repair(archive, describe, now=fixed_now).segments
        assert one.exact
        assert one.restored
    assert files(archive) == before
    assert verify(archive).ok


def test_recovery_data_that_cannot_be_read(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is damaged like a segment, and written anew."""
    name, before = parity_name(1), files(archive)
    with bad_sectors(monkeypatch, archive / name, 0, (archive / name).stat().st_size):
        found = standing(archive, 1, sound=True)
        assert found is not None
        assert found.damage is not None
        assert repair(archive, describe, now=fixed_now).parity == (1,)
    assert verify(archive).ok
    assert files(archive).keys() == before.keys()


def test_unreadable_bytes_are_zeros(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Block by block; all around them is what it was."""
    path, data = tmp_path / "file", os.urandom(PIECE + 3 * BLOCK + 17)
    path.write_bytes(data)
    with mapped.mapped(path) as view:
        assert view == data
    with bad_sectors(monkeypatch, path, PIECE + BLOCK + 5, PIECE + BLOCK + 6), mapped.mapped(path) as view:
        assert len(view) == len(data)
        assert view[: PIECE + BLOCK] == data[: PIECE + BLOCK]
        assert view[PIECE + BLOCK : PIECE + 2 * BLOCK] == bytes(BLOCK)
        assert view[PIECE + 2 * BLOCK :] == data[PIECE + 2 * BLOCK :]
