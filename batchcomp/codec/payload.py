"""The header that makes a payload decode on its own, JPEG's APP10 segment for it, and the walk over segments.

    offset  size  field
    0       2     marker FF EA (APP10)
    2       2     length of what follows, itself included: 27
    4       5     identifier "bcmp" 00
    9       1     version: 1, or 2 where the quality has hundredths
    10      1     flags: bit 0 = source is greyscale; other bits are 0
    11      1     scale: the compact image's sides are ceil(side / scale)
    12      1     quality, 1..100, whole part
    13      8     first 8 bytes of the model file's SHA-256
    21      4     original width in pixels
    25      4     original height in pixels
    29      1     version 2 only: hundredths of the quality, 1..99

Other containers than JPEG hold the same bytes from the identifier on. All numbers are big-endian, as everywhere in JPEG
(ISO/IEC 10918-1, annex B).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from batchcomp.errors import PayloadError
from batchcomp.images import beside

VERSION = 2
IDENTIFIER = b"bcmp\0"
LAYOUT = struct.Struct(">5sBBBB8sII")
APP0, APP1, APP2, APP10, APP15, COM, SOI, SOS = 0xE0, 0xE1, 0xE2, 0xEA, 0xEF, 0xFE, 0xD8, 0xDA
GREY = 1
MAX_ORIGINAL_SIDE = 131_000


@dataclass(frozen=True, kw_only=True)
class Header:
    """What a decoder must know beside the JPEG itself."""

    width: int
    height: int
    scale: int
    quality: float  # 1..100 in steps of .01
    model: bytes  # first 8 bytes of the model's SHA-256
    grey: bool

    @property
    def compact_size(self) -> tuple[int, int]:
        """(width, height) of the compact image."""
        return -(-self.width // self.scale), -(-self.height // self.scale)


@dataclass(frozen=True)
class Segment:
    """One marker segment: `data[start:end]` holds marker, length and content."""

    marker: int
    start: int
    end: int


def segments(data: bytes) -> Iterator[Segment]:
    """Yield the marker segments of a JPEG file up to and with the first SOS.

    Raises:
        PayloadError: the bytes are no JPEG, or end or go astray before the picture begins.
    """
    if data[:2] != bytes((0xFF, SOI)):
        raise PayloadError("not a JPEG file; expected a payload written by batchcomp")
    at = 2
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            raise PayloadError(f"byte {at} should begin a JPEG segment; the payload is damaged, use an intact copy")
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        end = at + 2 + length
        if length < 2 or end > len(data):
            raise PayloadError(
                f"the segment at byte {at} overruns the file; the payload is damaged, use an intact copy"
            )
        yield Segment(marker, at, end)
        if marker == SOS:
            return
        at = end
    raise PayloadError("the file ends before its picture begins; the payload is cut short, use an intact copy")


def content_of(header: Header) -> bytes:
    """The header as bytes: 25 for a whole quality, else 26."""
    whole, hundredths = divmod(round(header.quality * 100), 100)
    fields = (GREY if header.grey else 0, header.scale, whole, header.model, header.width, header.height)
    if hundredths:
        return LAYOUT.pack(IDENTIFIER, 2, *fields) + bytes((hundredths,))
    return LAYOUT.pack(IDENTIFIER, 1, *fields)


def as_number(quality: float) -> float:
    """A quality to the hundredth, an int where it is whole, as manifests and reports write it."""
    rounded = round(quality, 2)
    return int(rounded) if rounded == int(rounded) else rounded


def insert(data: bytes, header: Header) -> bytes:
    """Put the header's segment into a JPEG file: behind the JFIF segment, or first where there is none."""
    content = content_of(header)
    first = next(segments(data))
    at = first.end if first.marker == APP0 else 2
    return data[:at] + struct.pack(">BBH", 0xFF, APP10, len(content) + 2) + content + data[at:]


def parse(data: bytes) -> Header:
    """Read the header of a payload.

    Raises:
        PayloadError: there is none, or its fields make no sense, or it is of a later version.
    """
    for segment in segments(data):
        content = data[segment.start + 4 : segment.end]
        if segment.marker == APP10 and content.startswith(IDENTIFIER):
            return header_of(content)
    raise PayloadError("a plain JPEG without batchcomp's APP10 segment; open it with any viewer")


def header_of(content: bytes) -> Header:
    """Read what `content_of` wrote.

    Raises:
        PayloadError: its fields make no sense, or it is of a later version.
    """
    version = content[len(IDENTIFIER)] if len(content) > len(IDENTIFIER) else 0
    if version > VERSION:
        raise PayloadError(f"payload version {version}: this build reads up to {VERSION}; upgrade batchcomp")
    if version < 1 or len(content) != LAYOUT.size + version - 1:
        raise PayloadError(f"a header of version {version} and {len(content)} bytes makes no sense; use an intact copy")
    _, _, flags, scale, whole, model, width, height = LAYOUT.unpack(content[: LAYOUT.size])
    hundredths = content[LAYOUT.size] if version > 1 else 0
    quality = whole + hundredths / 100
    sound = (
        flags in (0, GREY)
        and scale in (1, 2, 4)
        and 1 <= quality <= 100
        and (version == 1 or 1 <= hundredths <= 99)
        and 1 <= width <= MAX_ORIGINAL_SIDE
        and 1 <= height <= MAX_ORIGINAL_SIDE
    )
    if not sound:
        raise PayloadError(
            f"the header says {width}x{height}, scale {scale}, quality {quality}, flags {flags}; use an intact copy"
        )
    return Header(
        width=width, height=height, scale=scale, quality=as_number(quality), model=model, grey=bool(flags & GREY)
    )


def metadata_bytes(data: bytes) -> int:
    """Bytes that everything beside the pixels takes in a JPEG file: EXIF, XMP, ICC, and what `images.beside` packs."""
    standard = sum(s.end - s.start for s in segments(data) if s.marker in (APP1, APP2))
    return standard + beside.packed_size(data)
