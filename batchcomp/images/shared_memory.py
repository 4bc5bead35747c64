"""Memory that two processes share through a file descriptor. It has no name, so nothing is left when they end."""

from __future__ import annotations

import mmap
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import numpy as np

from batchcomp.images.picture import Pixels

KEPT = 128 << 20  # bytes of pixels from which on they stay where they were decoded, and are not copied out
LEFT = 16 << 20  # that stay for the next picture: more would lie idle for seconds, and costs it .02 s where new


@contextmanager
def new_descriptor() -> Iterator[int]:
    """Make a piece of memory and give its descriptor, which is closed at the end."""
    descriptor = _in_memory()
    if descriptor is None:
        with tempfile.TemporaryFile() as file:
            yield file.fileno()
        return
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _in_memory() -> int | None:
    """None where the system has no such descriptors, or a sandbox refuses them."""
    try:
        return os.memfd_create("pictures") if hasattr(os, "memfd_create") else None
    except OSError:
        return None


def give_back(memory: mmap.mmap, end: int) -> None:
    """Give the whole pages of the first `end` bytes back to the system, where it can; they read as zeros then."""
    whole = end - end % mmap.PAGESIZE
    if whole and hasattr(mmap, "MADV_REMOVE"):
        with suppress(OSError):
            memory.madvise(mmap.MADV_REMOVE, 0, whole)


class SharedMemory:
    """The memory of a descriptor: first the pixels, behind them what is appended."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._map: mmap.mmap | None = None
        self.used = 0

    def clear(self) -> None:
        """Forget what is in it."""
        self.used = 0

    def pixels(self, shape: tuple[int, int, int]) -> Pixels:
        """Return an array of uint8 at the start of the memory. Nothing was appended yet."""
        self.used = shape[0] * shape[1] * shape[2]
        return np.frombuffer(self._grown(self.used), np.uint8, self.used).reshape(shape)

    def append(self, data: bytes) -> tuple[int, int]:
        """Share bytes behind all others; return where they start and how many they are."""
        start = self.used
        self.used += len(data)
        self._grown(self.used)[start : self.used] = data
        return start, len(data)

    def view(self) -> mmap.mmap:
        """Return all of the memory."""
        size = os.fstat(self._descriptor).st_size
        if self._map is None or len(self._map) != size:
            self._map = mmap.mmap(self._descriptor, size)
        return self._map

    def shrink(self) -> None:
        """Give back what exceeds `LEFT`; nothing may refer to the memory now."""
        if os.fstat(self._descriptor).st_size > LEFT:
            self._map = None
            os.ftruncate(self._descriptor, LEFT)

    def _grown(self, size: int) -> mmap.mmap:
        if os.fstat(self._descriptor).st_size < size:
            os.ftruncate(self._descriptor, size + size // 8 + 4096)
        return self.view()
