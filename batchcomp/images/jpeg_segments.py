"""The segments of a JPEG file, read without decoding (ITU-T T.81 annex B), and what JPEG's numbers are."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

SOI, EOI, SOS, TEM, COM = 0xD8, 0xD9, 0xDA, 0x01, 0xFE
APP0, APP1, APP2, APP10, APP11, APP13, APP14, APP15 = 0xE0, 0xE1, 0xE2, 0xEA, 0xEB, 0xED, 0xEE, 0xEF
SOF: Final = frozenset((*range(0xC0, 0xC4), *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0)))
START: Final = bytes((0xFF, SOI))  # of every JPEG file; the next segment's FF follows
MAX_SIDE: Final = 65_500  # pixels that libjpeg takes, a little below the format's own 65,535
MAX_CONTENT: Final = 65_533  # bytes of a segment's content: the length field counts itself

EXIF: Final = b"Exif\0\0"  # begins the APP1 segment of EXIF
PHOTOSHOP: Final = b"Photoshop 3.0\0"  # begins the APP13 segment of Photoshop's resources, IPTC among them
PAYLOAD: Final = b"bcmp\0"  # begins the APP10 segment of our payloads
XMP: Final = b"http://ns.adobe.com/xap/1.0/\0"
ICC: Final = b"ICC_PROFILE\0"
MPF: Final = b"MPF\0"
# These are written anew from other fields of `Metadata`, or by the encoder, or are smaller copies of the picture.
_ELSEWHERE: Final = {
    APP0: (b"JFIF\0", b"JFXX\0"),
    APP1: (EXIF, XMP),
    APP2: (ICC, MPF),
    APP14: (b"Adobe\0",),
}
_MARKER: Final = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")  # any that stands between or behind scans


@dataclass(frozen=True)
class JpegSegment:
    """One marker segment: the file's bytes `start` to `end` are marker, length and content."""

    marker: int
    start: int
    end: int


def segments(data: bytes) -> Iterator[JpegSegment]:
    """Yield the segments of a JPEG file up to and with the first SOS; each lies inside the file.

    Raises:
        ValueError: the bytes are no JPEG, or are damaged or end before the picture begins. The segments before the
            damage have been yielded by then.
    """
    if not data.startswith(START):
        raise ValueError("not a JPEG file")
    for segment in walk(lambda at, count: data[at : at + count]):
        if segment.end > len(data):
            raise ValueError(f"the segment at byte {segment.start} overruns the file")
        yield segment


def walk(read: Callable[[int, int], bytes]) -> Iterator[JpegSegment]:
    """Yield the segments up to and with the first SOS; the last may reach beyond the file.

    Args:
        read: returns the bytes at an offset, at most as many as asked for; fewer at the end of the file.

    Raises:
        ValueError: as `segments`.
    """
    at = len(START)
    while len(head := read(at, 4)) == 4:
        if head[0] != 0xFF:
            raise ValueError(f"byte {at} should begin a JPEG segment")
        marker, length = head[1], int.from_bytes(head[2:], "big")
        if marker == 0xFF:  # a fill byte
            at += 1
            continue
        if marker == EOI:
            break
        if length < 2:
            raise ValueError(f"the segment at byte {at} claims a length of {length}")
        yield JpegSegment(marker, at, at + 2 + length)
        if marker == SOS:
            return
        at += 2 + length
    raise ValueError("the file ends before its picture begins")


def is_metadata(marker: int) -> bool:
    """Tell whether a segment is an application segment (APPn) or a comment."""
    return APP0 <= marker <= APP15 or marker == COM


def metadata_segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield (marker, content) of the application segments and comments of a JPEG, as far as it is intact."""
    with suppress(ValueError):
        for segment in segments(data):
            if is_metadata(segment.marker):
                yield segment.marker, data[segment.start + 4 : segment.end]


def further_segments(data: bytes) -> tuple[tuple[int, bytes], ...]:
    """Return (marker, content) of a JPEG's comments and application segments that have no field of `Metadata`.

    IPTC and other Photoshop resources (APP13), segments of camera makers, comments. Previews are left out.
    """
    return tuple(
        (marker, content)
        for marker, content in metadata_segments(data)
        if not content.startswith(_ELSEWHERE.get(marker, ()))
    )


def trailer(data: bytes) -> bytes:
    """Return what follows the end of a JPEG's (first) picture, without the zeros with which some writers fill up."""
    end = data.rstrip(b"\0")
    scan = data.find(bytes((0xFF, SOS)))
    if scan > 0 and data.find(bytes((0xFF, EOI)), scan) == len(end) - 2:  # true of most files, and quickly found
        return b""
    return end[picture_end(data) :]


def picture_end(data: bytes, start: int = 0) -> int:
    """Return the offset behind the EOI marker of a JPEG's first picture, its length where there is none."""
    at = start + len(START)
    while found := _MARKER.search(data, at):
        marker, at = data[found.end() - 1], found.end()
        if marker == EOI:
            return at
        if marker not in {SOI, TEM} and at + 2 <= len(data):
            at += int.from_bytes(data[at : at + 2], "big")
    return len(data)
