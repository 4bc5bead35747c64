"""What a JPEG or PNG file holds beside its pixels, read without decoding.

JPEG: ITU-T T.81 annex B. PNG: https://www.w3.org/TR/png-3/#5Chunk-layout.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

_SOS, _EOI, _COM = 0xDA, 0xD9, 0xFE
_APP0, _APP15 = 0xE0, 0xEF

_CARRIED = (b"JFIF\0", b"JFXX\0", b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0", b"ICC_PROFILE\0", b"Adobe")
_KNOWN = {
    b"Photoshop 3.0\0": "Photoshop or IPTC data",
    b"MPF\0": "preview pictures",
    b"http://ns.adobe.com/xmp/extension/\0": "extended XMP",
}


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


def left_behind(data: bytes) -> tuple[str, ...]:
    """Name what a sound JPEG or PNG carries that `Picture` does not: comments, IPTC, previews, trailing bytes, ...

    Other formats are not searched. Such extras do not change how the picture looks; a caller that must not lose them
    stores the source verbatim.
    """
    extras: list[str | None] = []
    if data.startswith(b"\xff\xd8"):
        extras += [_jpeg_extra(marker, content) for marker, content in jpeg_segments(data)]
        extras.append(None if data.rstrip(b"\0").endswith(b"\xff\xd9") else "bytes after the picture")
    elif data.startswith(b"\x89PNG"):
        extras += [_png_extra(kind, content) for kind, content, _ in png_chunks(data)]
    return tuple(dict.fromkeys(extra for extra in extras if extra))


def _jpeg_extra(marker: int, content: bytes) -> str | None:
    if marker == _COM:
        return "comment"
    if not _APP0 <= marker <= _APP15 or content.startswith(_CARRIED):
        return None
    known = next((name for prefix, name in _KNOWN.items() if content.startswith(prefix)), None)
    return known or f"APP{marker - _APP0} segment"


def _png_extra(kind: bytes, content: bytes) -> str | None:
    if kind in {b"tEXt", b"zTXt", b"iTXt"}:
        carried = content.startswith((b"XML:com.adobe.xmp\0", b"Raw profile type exif\0", b"Raw profile type xmp\0"))
        return None if carried else "text"
    return "time stamp" if kind == b"tIME" else None
