"""What a JPEG or PNG file holds beside its pixels, read without decoding.

JPEG: ITU-T T.81 annex B. PNG: https://www.w3.org/TR/png-3/#5Chunk-layout.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator

APP0, APP10, APP11, APP13, APP15 = 0xE0, 0xEA, 0xEB, 0xED, 0xEF
COM = 0xFE
SEGMENT_MAX = 65_533  # bytes of content: the length field counts itself
PHOTOSHOP = b"Photoshop 3.0\0"  # begins the APP13 segment with Photoshop's resources, IPTC among them
OURS = b"bcmp\0"  # begins the APP10 segment of our payloads
_SOI, _EOI, _SOS, _TEM = 0xD8, 0xD9, 0xDA, 0x01
_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")

# Written anew from `Metadata`'s other fields, by the encoder itself, or (MPF, JFXX) smaller copies of the picture.
_ELSEWHERE = (
    b"JFIF\0",
    b"JFXX\0",
    b"Exif\0\0",
    b"http://ns.adobe.com/xap/1.0/\0",
    b"ICC_PROFILE\0",
    b"Adobe",
    b"MPF\0",
)
_TEXT_ELSEWHERE = (b"XML:com.adobe.xmp\0", b"Raw profile type exif\0", b"Raw profile type xmp\0")
_CHUNKS = frozenset((b"tEXt", b"zTXt", b"iTXt", b"tIME", b"sRGB", b"gAMA", b"cHRM", b"sBIT"))


def jpeg_segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield (marker, content) of the segments of a JPEG before its first scan; stop at the first damage."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:  # fill byte
            at += 1
            continue
        if marker in {_SOS, _EOI}:
            return
        (length,) = struct.unpack_from(">H", data, at + 2)
        yield marker, data[at + 4 : at + 2 + length]
        at += 2 + length


def png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes, bool]]:
    """Yield (type, content, checksum is right) of the chunks of a PNG; stop at its end or at the first damage."""
    at = 8
    while at + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        content = data[at + 8 : at + 8 + length]
        if len(content) < length or at + 12 + length > len(data):
            return
        (checksum,) = struct.unpack_from(">I", data, at + 8 + length)
        yield kind, content, zlib.crc32(content, zlib.crc32(kind)) == checksum
        if kind == b"IEND":
            return
        at += 12 + length


def further_segments(data: bytes) -> tuple[tuple[int, bytes], ...]:
    """Return (marker, content) of a JPEG's comments and application segments that have no field of `Metadata`.

    IPTC and other Photoshop resources (APP13), makers' own segments, comments. Previews are left out.
    """
    return tuple(
        (marker, content)
        for marker, content in jpeg_segments(data)
        if marker == COM or (APP0 <= marker <= APP15 and not content.startswith(_ELSEWHERE))
    )


def further_chunks(data: bytes) -> tuple[tuple[bytes, bytes], ...]:
    """Return (type, content) of a PNG's chunks that hold for the restored picture too and have no field of `Metadata`.

    Texts, the time stamp, sRGB and the like, and private chunks that their author calls safe to copy (PNG 3, 5.4).
    """
    return tuple((kind, content) for kind, content, sound in png_chunks(data) if sound and _is_kept(kind, content))


def _is_kept(kind: bytes, content: bytes) -> bool:
    if kind in _CHUNKS:
        return not content.startswith(_TEXT_ELSEWHERE)
    return kind[0:1].islower() and kind[1:2].islower() and kind[3:4].islower()  # ancillary, private, safe to copy


def trailer(data: bytes) -> bytes:
    """Return what stands after the end of a JPEG's (first) picture, without the zeros some writers pad files with."""
    end = data.rstrip(b"\0")
    scan = data.find(b"\xff\xda")
    if scan > 0 and data.find(b"\xff\xd9", scan) == len(end) - 2:  # seldom untrue, and quicker than to walk
        return b""
    return end[_jpeg_end(data) :]


def _jpeg_end(data: bytes) -> int:
    """Return the offset behind the EOI marker of a JPEG's first picture, or its length where there is none."""
    at = 2
    while found := _MARKER.search(data, at):
        marker, at = data[found.end() - 1], found.end()
        if marker == _EOI:
            return at
        if marker not in {_SOI, _TEM} and at + 2 <= len(data):
            at += struct.unpack_from(">H", data, at)[0]
    return len(data)
