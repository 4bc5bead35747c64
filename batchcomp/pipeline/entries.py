"""One entry of an archive, read and checked against its row: its compact picture, its picture, or its bytes."""

from __future__ import annotations

from dataclasses import dataclass

from batchcomp.archive import ArchiveReader
from batchcomp.archive.rows import Row
from batchcomp.codec.compact import Decoded
from batchcomp.codec.inner import reader_of
from batchcomp.errors import ArchiveError, PayloadError
from batchcomp.images.picture import Picture
from batchcomp.kinds import KINDS
from batchcomp.pipeline.records import Event, Failed


@dataclass(frozen=True, kw_only=True)
class Entry:
    """An entry in memory. Exactly one of `decoded` (the networks restore it), `picture` and `data` (as it is) is set.

    `target` is the name under which it is to be restored.
    """

    row: Row
    target: str
    data: bytes = b""
    decoded: Decoded | None = None
    picture: Picture | None = None


def unknown_kind(row: Row) -> str:
    """Say of a row of a later version why its picture cannot be restored."""
    return f"{row.path}: stored as {row.stored!r}, which this build cannot decode; upgrade batchcomp"


def read_entry(archive: ArchiveReader, row: Row, target: str) -> Entry | Event:
    """Read one entry and check it against its row; a `Failed` event where it is damaged or of an unknown kind."""
    try:
        data = archive.read(row)
        if row.stored not in KINDS:
            return Failed(name=row.path, reason=unknown_kind(row))
        if not KINDS[row.stored].reader:
            return Entry(row=row, target=target, data=data)
        found = reader_of(row.stored).read(data, (row.width, row.height))
    except (ArchiveError, PayloadError) as error:
        reason = str(error) if row.path in str(error) else f"{row.path}: {error}"
        return Failed(name=row.path, reason=reason, damage=True)
    if isinstance(found, Picture):
        return Entry(row=row, target=target, picture=found)
    return Entry(row=row, target=target, decoded=found)
