"""What of a stored picture tells whether its file changed since."""

from __future__ import annotations

from typing import Any, NamedTuple

from batchcomp.index.columns import sealed


class StoredSource(NamedTuple):
    """Size in bytes, time of change in seconds and nanoseconds, SHA-256 of a source; where and how it is stored."""

    path: str
    size: int
    seconds: int
    rest: int
    sha256: bytes
    id: int
    manner: int
    measured: bool


def stored_from(record: tuple[Any, ...]) -> StoredSource:
    """Return what a record that begins with the columns `PICTURE` says; errors: see `sealed`."""
    number, path, _, manner, _, _, size, seconds, rest, _, sha256 = sealed(record)[:11]
    return StoredSource(path, size, seconds, rest, sha256, number, manner, record[17] is not None)
