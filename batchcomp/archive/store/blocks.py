"""Pieces of objects that were read just now: a picture, its header and its neighbours come with one request."""

from __future__ import annotations

import threading
from collections import OrderedDict
from concurrent.futures import Future
from io import RawIOBase
from typing import TYPE_CHECKING, Final, NamedTuple

from batchcomp.archive.store.base import Identity

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

    from batchcomp.archive.store.bucket import Bucket

BLOCK: Final = 2**20  # bytes
AHEAD: Final = 4  # blocks of one request, where the block before was asked for too
_MOST: Final = 24  # blocks that are kept


class Piece(NamedTuple):
    """One object of certain bytes."""

    name: str
    identity: Identity
    size: int


class Blocks:
    """The blocks last read, by object and position. Several threads may use it; each block is asked for once."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._lock = threading.Lock()
        self._held: OrderedDict[tuple[Piece, int], Future[bytes]] = OrderedDict()

    def read(self, piece: Piece, offset: int, size: int) -> bytes:
        """Return up to `size` bytes. Raises StaleError, FileNotFoundError, StoreError."""
        end = min(offset + size, piece.size)
        if offset >= end:
            return b""
        first, last = offset // BLOCK, (end - 1) // BLOCK
        start = first * BLOCK
        data = b"".join(self._block(piece, index, last) for index in range(first, last + 1))
        return data[offset - start : end - start]

    def _block(self, piece: Piece, index: int, last: int) -> bytes:
        """Return one block; where it is not held, ask for all up to block `last`, too, and for some ahead."""
        with self._lock:
            future = self._held.get((piece, index))
            if future is None:
                wanted = self._claimed(piece, index, last)
            else:
                self._held.move_to_end((piece, index))
        if future is not None:
            return future.result()
        self._fetch(piece, index, wanted)
        return wanted[0].result()

    def _claimed(self, piece: Piece, index: int, last: int) -> list[Future[bytes]]:
        """Note, under the lock, that these blocks are on their way."""
        count = max(last - index + 1, AHEAD if (piece, index - 1) in self._held else 1)
        there = -(-piece.size // BLOCK)
        futures: list[Future[bytes]] = []
        for one in range(index, min(index + count, there)):
            if (piece, one) in self._held:
                break
            futures.append(Future())
            self._held[piece, one] = futures[-1]
        done = [key for key, held in self._held.items() if held.done()]
        for key in done[: max(0, len(self._held) - _MOST)]:
            del self._held[key]
        return futures

    def _fetch(self, piece: Piece, index: int, wanted: list[Future[bytes]]) -> None:
        start = index * BLOCK
        try:
            data, _ = self._bucket.get(piece.name, start, min(start + len(wanted) * BLOCK, piece.size), piece.identity)
        except BaseException as error:
            with self._lock:
                for at, future in enumerate(wanted):
                    self._held.pop((piece, index + at), None)
                    future.set_exception(error)
            raise
        for at, future in enumerate(wanted):
            future.set_result(data[at * BLOCK : (at + 1) * BLOCK])


class RangedFile(RawIOBase):
    """An object as a seekable file."""

    def __init__(self, blocks: Blocks, piece: Piece) -> None:
        super().__init__()
        self._blocks, self._piece, self._at = blocks, piece, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = 0, /) -> int:
        base = (0, self._at, self._piece.size)[whence]
        if base + offset < 0:
            raise ValueError(f"negative seek position {base + offset}")
        self._at = base + offset
        return self._at

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer).cast("B")
        data = self._blocks.read(self._piece, self._at, len(view))
        view[: len(data)] = data
        self._at += len(data)
        return len(data)
