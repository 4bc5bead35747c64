"""The header that makes a payload decode on its own, JPEG's APP10 segment for it, and the walk over segments.

    offset  size  field
    0       2     marker FF EA (APP10)
    2       2     length of what follows, itself included: 19 or 23, or more where there are lines
    4       5     identifier "bcmp" 00
    9       1     version: 1
    10      1     flags: bit 0 = source is greyscale; bits 1, 2 = log2 of the scale; bit 3 = sides in 4 bytes each;
                  bit 4 = lines along the edges
    11      2     network quality (what the networks get, `tables`), in hundredths, 100..11500
    13      4     first 4 bytes of the model file's SHA-256
    17      2, 4  original width in pixels
            2, 4  original height in pixels
            1     number of runs of lines along the edges, where there are such
            4, 2  of each, from the outside inwards: side and count (bits 6, 7 = 0 top, 1 bottom, 2 left, 3 right;
                  bits 0 to 5 = 1 to 8 rows or columns), then the colour, R, G and B or grey

The compact image's sides are ceil(side / scale) of the original without these lines (`edge_lines`). Other containers
than JPEG hold the same bytes from the identifier on. All numbers are big-endian, as everywhere in JPEG (ISO/IEC
10918-1, annex B).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from batchcomp.codec import edge_lines
from batchcomp.codec.tables import MAX_NETWORK_QUALITY
from batchcomp.errors import PayloadError
from batchcomp.images import extra_segments, jpeg_segments
from batchcomp.images.jpeg_segments import APP0, APP1, APP2, APP10, SOS, JpegSegment

VERSION = 1
IDENTIFIER = jpeg_segments.PAYLOAD
SHORT, LONG = struct.Struct(">5sBBH4sHH"), struct.Struct(">5sBBH4sII")
MODEL_BYTES = 4  # of the SHA-256 of a model's file: what a header names it by
SOI = jpeg_segments.START
EMPTY_SCAN = bytes((0xFF, SOS, 0, 2))  # ends segments without a picture for `segments`
GREY, WIDE, LINED = 1, 8, 16
SCALES = (1, 2, 4)
MAX_ORIGINAL_SIDE = 131_000


@dataclass(frozen=True, kw_only=True)
class PayloadHeader:
    """What a decoder must know apart from the JPEG itself."""

    width: int
    height: int
    scale: int
    quality: float  # of the networks: 1..115 in steps of .01
    model: bytes  # first 4 bytes of the SHA-256 of the model's file
    grey: bool
    lines: edge_lines.Runs = ()  # along the edges of the original, not in the compact image

    @property
    def inner_size(self) -> tuple[int, int]:
        """(width, height) of the original without its lines."""
        top, bottom, left, right = edge_lines.counts(self.lines)
        return self.width - left - right, self.height - top - bottom

    @property
    def compact_size(self) -> tuple[int, int]:
        """(width, height) of the compact image."""
        width, height = self.inner_size
        return -(-width // self.scale), -(-height // self.scale)


def segments(data: bytes) -> Iterator[JpegSegment]:
    """Yield the marker segments of a JPEG file up to and with the first SOS.

    Raises:
        PayloadError: the bytes are no JPEG, or end or go astray before the picture begins.
    """
    if not data.startswith(SOI):
        raise PayloadError("not a JPEG file; expected a payload written by batchcomp")
    try:
        yield from jpeg_segments.segments(data)
    except ValueError as error:
        raise PayloadError(f"{error}; the payload is damaged, use an intact copy") from error


def content_of(header: PayloadHeader) -> bytes:
    """The header as bytes: 17, or 21 where a side is longer than 65,535 px; with lines at most 129 more."""
    wide = max(header.width, header.height) >= 1 << 16
    flags = GREY * header.grey | SCALES.index(header.scale) << 1 | WIDE * wide | LINED * bool(header.lines)
    hundredths = round(header.quality * 100)
    sides = header.width, header.height
    lines = edge_lines.to_bytes(header.lines) if header.lines else b""
    return (LONG if wide else SHORT).pack(IDENTIFIER, VERSION, flags, hundredths, header.model, *sides) + lines


def as_number(quality: float) -> float:
    """A quality to the hundredth, an int where it is whole, as manifests and reports write it."""
    rounded = round(quality, 2)
    return int(rounded) if rounded == int(rounded) else rounded


def insert(data: bytes, header: PayloadHeader) -> bytes:
    """Put the header's segment into a JPEG file: behind the JFIF segment, or first where there is none."""
    content = content_of(header)
    first = next(segments(data))
    at = first.end if first.marker == APP0 else 2
    return data[:at] + struct.pack(">BBH", 0xFF, APP10, len(content) + 2) + content + data[at:]


def parse(data: bytes) -> PayloadHeader:
    """Read the header of a payload.

    Raises:
        PayloadError: there is none, or its fields make no sense, or it is of a later version.
    """
    for segment in segments(data):
        content = data[segment.start + 4 : segment.end]
        if segment.marker == APP10 and content.startswith(IDENTIFIER):
            return header_of(content)
    raise PayloadError("a plain JPEG without batchcomp's APP10 segment; open it with any viewer")


def header_of(content: bytes) -> PayloadHeader:
    """Read what `content_of` wrote.

    Raises:
        PayloadError: its fields make no sense, or it is of a later version.
    """
    version = content[len(IDENTIFIER)] if len(content) > len(IDENTIFIER) else 0
    if version > VERSION:
        raise PayloadError(f"payload version {version}: this build reads up to {VERSION}; upgrade batchcomp")
    header = _header(content) if version == VERSION else None
    if header is None:
        raise PayloadError(f"a header of version {version} and {len(content)} bytes makes no sense; use an intact copy")
    if not (1 <= header.width <= MAX_ORIGINAL_SIDE and 1 <= header.height <= MAX_ORIGINAL_SIDE):
        raise PayloadError(f"the header says {header.width}x{header.height}; use an intact copy")
    return header


def _header(content: bytes) -> PayloadHeader | None:
    """A header; None where it makes no sense."""
    flags = content[len(IDENTIFIER) + 1] if len(content) >= SHORT.size else 0
    layout, grey = LONG if flags & WIDE else SHORT, bool(flags & GREY)
    scale = flags >> 1 & 3
    if len(content) < layout.size or flags >= 2 * LINED or scale >= len(SCALES):
        return None
    _, _, _, hundredths, model, width, height = layout.unpack_from(content)
    further = content[layout.size :]
    try:
        lines = edge_lines.from_bytes(further, 1 if grey else 3) if flags & LINED else ()
    except ValueError:
        return None
    if not 100 <= hundredths <= 100 * MAX_NETWORK_QUALITY or bool(further) is not bool(lines):
        return None
    quality = as_number(hundredths / 100)
    header = PayloadHeader(
        width=width, height=height, scale=SCALES[scale], quality=quality, model=model, grey=grey, lines=lines
    )
    return header if not lines or min(width, height) >= edge_lines.LEAST_SIDE else None


def metadata_bytes(data: bytes) -> int:
    """Bytes that everything but the pixels takes in a JPEG file: EXIF, XMP, ICC, and our own segments."""
    standard = sum(s.end - s.start for s in segments(data) if s.marker in (APP1, APP2))
    return standard + extra_segments.size_of_segments(data)
