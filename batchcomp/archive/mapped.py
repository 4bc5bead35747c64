"""A file as bytes in memory, of which only what is looked at is read."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

Bytes = memoryview  # of a mapped file: segments may be larger than memory


@contextmanager
def mapped(path: Path) -> Iterator[Bytes]:
    """Map a file into memory for reading. Raises OSError."""
    with path.open("rb") as file:
        if not path.stat().st_size:  # cannot be mapped
            yield memoryview(b"")
            return
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as whole, memoryview(whole) as view:
            yield view
