"""The manifest of a segment: a header line, a line per picture, an end line. JSON lines, see docs/format.md."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from typing import Any, Final

from batchcomp import __version__
from batchcomp.archive.rows import CRC_MEMBER, json_line, parse_line, with_crc
from batchcomp.errors import ArchiveError

FORMAT: Final = "batchcomp-archive"
VERSION: Final = 1  # what this build writes, and the newest that it reads
CREATED_FORM: Final = "%Y-%m-%dT%H:%M:%SZ"  # in UTC
MAX_MANIFEST: Final = 64 * 2**20  # bytes; the writer closes a segment long before
_PICTURE: Final = b'{"type":"picture",'  # how a row starts, so that rows are found without parsing
_HELD: Final = b'{"type":"held",'  # likewise: an entry without a current name, which shared rows refer to
_PATH: Final = re.compile(rb'\{"type":"picture","path":("(?:[^"\\]|\\.)*"),')  # as our writers begin a row


@dataclass(frozen=True, kw_only=True)
class SegmentHeader:
    """First line of a manifest."""

    version: int
    segment: int
    writer: str
    created: str


@dataclass(frozen=True, kw_only=True, slots=True)
class PartOf:
    """Which part of which job a segment is, counted from 1; see `archive.jobs`."""

    job: str
    part: int


def header_line(segment: int, created: datetime, after: int | None = None, part_of: PartOf | None = None) -> bytes:
    """Return the first line; `created` is in UTC, `after` the number of the segment before where it is not the last."""
    value: dict[str, Any] = {"type": "segment", "format": FORMAT, "version": VERSION, "segment": segment}
    if after is not None and after != segment - 1:
        value["after"] = after
    if part_of is not None:
        value |= {"job": part_of.job, "part": part_of.part}
    return json_line({**value, "writer": f"batchcomp {__version__}", "created": created.strftime(CREATED_FORM)})


def end_line(pictures: int, held: int = 0) -> bytes:
    """Return the last line, which says that nothing before it is missing."""
    counts = {"pictures": pictures, "held": held} if held else {"pictures": pictures}
    return json_line({"type": "end", **counts})


def check_manifest(data: bytes, segment: int) -> SegmentHeader:
    """Return the header after checking the frame: header line, end line, number of pictures, segment number.

    Raises:
        ArchiveError: the format is newer than this build reads.
        ValueError: the frame is broken.
    """
    if not data.endswith(b"\n"):
        raise ValueError("the manifest is cut off")
    header = _parse_header(parse_line(data[: data.index(b"\n")]))
    if header.segment != segment:
        raise ValueError(f"the segment says that it is number {header.segment}: it was renamed or copied")
    end = parse_line(data[data.rfind(b"\n", 0, -1) + 1 :])
    pictures, held = data.count(b"\n" + _PICTURE), data.count(b"\n" + _HELD)
    if end.get("type") != "end" or (end.get("pictures"), end.get("held", 0)) != (pictures, held):
        raise ValueError(f"the manifest has {pictures} pictures, {held} held, its last line says {str(end)[:100]}")
    return header


def created_in(data: bytes) -> datetime | None:
    """Return when the segment was first written, from a manifest whose frame is sound; None where it does not say."""
    text = parse_line(data[: data.index(b"\n")]).get("created")
    try:
        return datetime.strptime(text, CREATED_FORM).replace(tzinfo=UTC) if isinstance(text, str) else None
    except ValueError:
        return None


def picture_lines(data: bytes) -> Iterator[bytes]:
    """Yield the line of each picture, in the order of the entries; lines of other types are ignored."""
    return (line for line in BytesIO(data) if line.startswith(_PICTURE))


def row_lines(data: bytes) -> Iterator[bytes]:
    """Yield the lines of pictures and held entries, in the order of the entries."""
    return (line for line in BytesIO(data) if line.startswith((_PICTURE, _HELD)))


def inner_lines(data: bytes) -> Iterator[bytes]:
    """Yield every line but the first and the last, also those of unknown types."""
    first, last = data.index(b"\n") + 1, data.rfind(b"\n", 0, -1) + 1
    return iter(BytesIO(data[first:last]))


def is_row(line: bytes) -> bool:
    """Tell whether a line is a row: a picture's or a held entry's."""
    return line.startswith((_PICTURE, _HELD))


def count_rows(lines: Iterable[bytes]) -> tuple[int, int]:
    """Return the number of pictures and of held entries among lines."""
    counts = Counter("picture" if line.startswith(_PICTURE) else is_held(line) for line in lines)
    return counts["picture"], counts[True]


def held_line(line: bytes) -> bytes:
    """Return a picture's line as that of a held entry, with all its fields."""
    if is_held(line):
        return line
    return with_crc(_HELD + CRC_MEMBER.sub(b"}\n", line)[len(_PICTURE) :])


def picture_line(line: bytes) -> bytes:
    """Return a held entry's line as that of a picture, with all its fields."""
    return with_crc(_PICTURE + CRC_MEMBER.sub(b"}\n", line)[len(_HELD) :]) if is_held(line) else line


def is_held(line: bytes) -> bool:
    """Tell whether a row's line is of a held entry: kept for the shared rows that refer to it, but no picture."""
    return line.startswith(_HELD)


def line_path(line: bytes) -> str | None:
    """Return the path in a picture's line, whatever else is in it; None if it cannot be read.

    Quick for lines that begin as our writers begin them: to find the current rows only the paths are needed.
    """
    match = _PATH.match(line)
    try:
        return str(json.loads(match[1]) if match else parse_line(line).get("path"))
    except ValueError:
        return None


def _parse_header(value: dict[str, Any]) -> SegmentHeader:
    if value.get("type") != "segment" or value.get("format") != FORMAT:
        raise ValueError(f"the first line is not the header of a {FORMAT}")
    version, number = value.get("version"), value.get("segment")
    if type(version) is not int or version < 1 or type(number) is not int:
        raise ValueError("the header has no usable version or segment number")
    if version > VERSION:
        raise ArchiveError(f"archive version {version}: this build reads up to {VERSION}; upgrade batchcomp")
    writer, created = str(value.get("writer", ""))[:100], str(value.get("created", ""))[:100]
    return SegmentHeader(version=version, segment=number, writer=writer, created=created)
