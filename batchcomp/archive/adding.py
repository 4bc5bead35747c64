"""How a picture gets into a growing segment: checked first, so that what is refused leaves nothing behind."""

from __future__ import annotations

from dataclasses import replace

from batchcomp.archive.growing import GrowingSegment, checked_line
from batchcomp.archive.names import name_problem
from batchcomp.archive.rows import Row
from batchcomp.errors import PictureError


def add_row(segment: GrowingSegment, row: Row, payload: bytes) -> Row:
    """Write one picture to a segment and return its row, completed.

    Raises:
        PictureError: the name or another field is not allowed in an archive; nothing was written.
        OSError: the disk refuses. The pictures added before are still complete.
    """
    _check_name(row)
    try:
        done = segment.complete(row, payload)
        line = checked_line(done)
    except ValueError as error:
        raise PictureError(f"{row.path!r}: cannot be archived: {error}") from error
    segment.append(done, line, payload)
    return done


def add_shared_row(segment: GrowingSegment, row: Row, owner: Row) -> Row:
    """Add a row whose content is that of `owner`, a row that is stored already; no payload is written.

    `row` gives path, mtime and permissions; all else is `owner`'s.

    Raises:
        PictureError: the name or another field is not allowed in an archive; nothing was written.
    """
    _check_name(row)
    own = {"path": row.path, "mtime_ns": row.mtime_ns, "permissions": row.permissions, "seconds": row.seconds}
    done = replace(owner, **own, owner_segment=owner.place[0], segment=segment.number)  # type: ignore[arg-type]
    try:
        segment.append_line(checked_line(done), done)
    except ValueError as error:
        raise PictureError(f"{row.path!r}: cannot be archived: {error}") from error
    return done


def _check_name(row: Row) -> None:
    if problem := name_problem(row.path):
        raise PictureError(f"{row.path!r}: the name cannot be archived: {problem}; rename the file")
