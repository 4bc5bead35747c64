"""A file as bytes in memory, of which only what is looked at is kept there."""

from __future__ import annotations

import mmap
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from typing import IO, Final

from batchcomp.archive.durable import is_unreadable

Bytes = memoryview  # of a mapped file: segments may be larger than memory
PIECE: Final = 1 << 20  # bytes that are read at once
BLOCK: Final = 4096  # the least that a disk cannot read


@contextmanager
def mapped(path: Path) -> Iterator[Bytes]:
    """Map a file into memory for reading. What the disk cannot read counts as zeros, which no checksum takes for sound.

    A mapped file ends the process where the disk fails (SIGBUS), so that all of it is read once before.

    Raises:
        OSError: it cannot be opened; or there is no room for a copy of one that the disk cannot read.
    """
    with FileIO(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        if not size:  # cannot be mapped
            yield memoryview(b"")
        elif _is_readable(file, size):
            with _map(file) as view:
                yield view
        else:
            with tempfile.TemporaryFile() as copy:
                _copy_readable(file, copy, size)
                with _map(copy) as view:
                    yield view


@contextmanager
def _map(file: FileIO | IO[bytes]) -> Iterator[Bytes]:
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as whole, memoryview(whole) as view:
        yield view


def _read_piece(file: FileIO, offset: int, size: int) -> bytes | None:
    """Return up to `size` bytes at `offset`, None where the disk cannot read one of them. Raises other OSErrors."""
    try:
        file.seek(offset)
        data = file.read(size)
        while len(data) < size and (more := file.read(size - len(data))):  # a call ends before what cannot be read
            data += more
    except OSError as error:
        if is_unreadable(error):
            return None
        raise
    return data


def _is_readable(file: FileIO, size: int) -> bool:
    return all(_read_piece(file, offset, PIECE) is not None for offset in range(0, size, PIECE))


def _copy_readable(file: FileIO, copy: IO[bytes], size: int) -> None:
    copy.truncate(size)
    for start in range(0, size, PIECE):
        piece = _read_piece(file, start, PIECE)
        if piece is not None:
            copy.seek(start)
            copy.write(piece)
            continue
        for offset in range(start, min(start + PIECE, size), BLOCK):
            if block := _read_piece(file, offset, BLOCK):
                copy.seek(offset)
                copy.write(block)
    copy.flush()
