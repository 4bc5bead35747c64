"""The end of a picture's way: its row and payload into what writes them, and the event that tells of it."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Protocol

from batchcomp.archive import ArchiveWriter
from batchcomp.archive.rows import Row
from batchcomp.errors import PictureError
from batchcomp.pipeline.dedup import KnownContent, Shared
from batchcomp.pipeline.job import Job
from batchcomp.pipeline.records import Bundle, Done, Event, Failed, Idle
from batchcomp.places import Url
from batchcomp.settings import CompressSettings

MAX_OBJECT = 64 * 2**20  # bytes of a segment that is put at once, from memory, and again where the connection broke

Result = Job | Shared | Event


class RowWriter(Protocol):
    """What takes pictures: the writer of an archive, or that of one part of a job."""

    def add(self, row: Row, payload: bytes) -> Row:
        """Write one picture and return its row, completed. Raises PictureError, ArchiveError."""
        ...

    def add_shared(self, row: Row, owner: Row) -> Row:
        """Add a row whose content `owner` has. Raises PictureError, ArchiveError."""
        ...


def writer_of(settings: CompressSettings) -> ArchiveWriter:
    """Return the writer of a run, not entered yet."""
    return ArchiveWriter(
        settings.archive,
        segment_bytes=min(settings.segment_bytes, MAX_OBJECT if isinstance(settings.archive, Url) else sys.maxsize),
        segment_seconds=settings.segment_seconds,
        lock_wait=settings.lock_wait,
        parity=settings.parity,
    )


def events_of(writer: RowWriter, index: KnownContent, result: Result) -> Iterable[Event]:
    """Store what is to be stored and return what there is to tell."""
    match result:
        case Job() | Shared():
            return [_stored(writer, index, result)]
        case Bundle(events=events):
            return events
        case Idle():
            return []
        case _:
            return [result]


def _stored(writer: RowWriter, index: KnownContent, result: Job | Shared) -> Event:
    try:
        if isinstance(result, Shared):
            row = writer.add_shared(result.row, result.owner)
        else:
            row = writer.add(result.chosen.row, result.chosen.data)
    except PictureError as error:
        name = result.row.path if isinstance(result, Shared) else result.loaded.item.name
        return Failed(name=name, reason=str(error))
    index.note(row)
    return Done(name=row.path, row=row)
