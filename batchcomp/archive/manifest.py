"""The manifest of a segment: a header line, a line per picture, an end line. JSON lines, see docs/format.md."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import Any, Final

from batchcomp import __version__
from batchcomp.archive.rows import json_line, parse_line
from batchcomp.errors import ArchiveError

FORMAT: Final = "batchcomp-archive"
VERSION: Final = 1  # what this build writes, and the newest it reads
MAX_MANIFEST = 64 * 2**20  # bytes; the writer closes a segment long before
_PICTURE: Final = b'{"type":"picture",'  # how a row starts, so that rows are told apart without parsing them


@dataclass(frozen=True, kw_only=True)
class Header:
    """First line of a manifest."""

    version: int
    segment: int
    writer: str
    created: str


def header_line(segment: int, created: datetime) -> bytes:
    """Return the first line; `created` is in UTC."""
    stamp = created.strftime("%Y-%m-%dT%H:%M:%SZ")
    value = {"type": "segment", "format": FORMAT, "version": VERSION, "segment": segment}
    return json_line({**value, "writer": f"batchcomp {__version__}", "created": stamp})


def end_line(pictures: int) -> bytes:
    """Return the last line, which says that nothing before it is missing."""
    return json_line({"type": "end", "pictures": pictures})


def check_manifest(data: bytes, segment: int) -> Header:
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
    pictures = data.count(b"\n" + _PICTURE)
    if end.get("type") != "end" or end.get("pictures") != pictures:
        raise ValueError(f"the manifest has {pictures} pictures, its last line says {str(end)[:100]}")
    return header


def picture_lines(data: bytes) -> Iterator[bytes]:
    """Yield the line of each picture, in the order of the entries; lines of unknown type are passed over."""
    for line in BytesIO(data):
        if line.startswith(_PICTURE):
            yield line


def _parse_header(value: dict[str, Any]) -> Header:
    if value.get("type") != "segment" or value.get("format") != FORMAT:
        raise ValueError(f"the first line is not the header of a {FORMAT}")
    version, number = value.get("version"), value.get("segment")
    if type(version) is not int or version < 1 or type(number) is not int:
        raise ValueError("the header has no usable version or segment number")
    if version > VERSION:
        raise ArchiveError(f"archive version {version}: this build reads up to {VERSION}; upgrade batchcomp")
    writer, created = str(value.get("writer", ""))[:100], str(value.get("created", ""))[:100]
    return Header(version=version, segment=number, writer=writer, created=created)
