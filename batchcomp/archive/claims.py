"""What a file says that it is: the first line of its manifest, from any ZIP file, whoever wrote or named it.

Needs neither a canonical segment nor a trusted one. What it returns was not checked: it tells copies and strangers
from segments, and is never a row.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from struct import error as StructError  # noqa: N812  # an exception's name
from zipfile import BadZipFile, ZipFile

from batchcomp.archive.manifest import CREATED_FORM, FORMAT, PartOf
from batchcomp.archive.names import MANIFEST_NAME
from batchcomp.archive.rows import MAX_LINE, parse_line
from batchcomp.archive.store import Location, store_of

ZIP_ERRORS = (BadZipFile, StructError, zlib.error, RuntimeError, ValueError, KeyError, EOFError, OSError)
"""What the standard library raises for files that are no ZIP file, or an odd one."""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """The header of a manifest: the segment's number, the one before it, when it was written, and by which job."""

    segment: int
    after: int | None = None
    created: datetime | None = None
    part_of: PartOf | None = None


def claim_of(where: Location, name: str) -> Claim | None:
    """Return what a file says of itself, None if it has no manifest of ours."""
    try:
        with store_of(where).open(name) as file, ZipFile(file) as archive, archive.open(MANIFEST_NAME) as manifest:
            return claim_in(manifest.readline(MAX_LINE))
    except ZIP_ERRORS:
        return None


def claim_in(data: bytes) -> Claim | None:
    """Return what the first line of a manifest says, None if that is not the header of a segment."""
    try:
        value = parse_line(data[: data.index(b"\n") + 1])
    except ValueError:
        return None
    number, after = value.get("segment"), value.get("after")
    if value.get("type") != "segment" or value.get("format") != FORMAT or type(number) is not int:
        return None
    created = _moment(value.get("created"))
    after = after if type(after) is int else None
    return Claim(segment=number, after=after, created=created, part_of=_part_of(value.get("job"), value.get("part")))


def _part_of(job: object, part: object) -> PartOf | None:
    return PartOf(job=job[:100], part=part) if isinstance(job, str) and isinstance(part, int) else None


def _moment(text: object) -> datetime | None:
    try:
        return datetime.strptime(str(text), CREATED_FORM).replace(tzinfo=UTC)
    except ValueError:
        return None
