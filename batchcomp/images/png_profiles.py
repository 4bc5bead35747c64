"""XMP and EXIF that a PNG keeps in chunks of text or packed, read to the last byte.

Decoders read as much as they need. Whatever else stands in such a chunk is data that a user may miss.
"""

from __future__ import annotations

import zlib
from typing import Final

XMP_KEY: Final = b"XML:com.adobe.xmp\0"
RAW_XMP, RAW_EXIF = b"Raw profile type xmp\0", b"Raw profile type exif\0"
_MAX: Final = 2**26  # bytes of unpacked text, far beyond what decoders take
_JUNK: Final = 16  # bytes: ImageMagick leaves some of what stood in its memory behind the digits
_EXIF: Final = b"Exif\0\0"


def holds_only(kind: bytes, content: bytes, *, xmp: bytes, exif: bytes, icc: bytes) -> bool:
    """Tell whether a chunk that is carried as a field of `Metadata` holds nothing but what that field has.

    True of chunks of other kinds.
    """
    try:
        if kind == b"iCCP":
            return _unpacked(content.partition(b"\0")[2][1:]) == icc
        if content.startswith(XMP_KEY):
            return kind == b"iTXt" and _international(content[len(XMP_KEY) :]) == xmp
        for key, field in ((RAW_XMP, xmp), (RAW_EXIF, exif)):
            if content.startswith(key):
                return _raw(_text(kind, content[len(key) :])).removeprefix(_EXIF) == field
    except (ValueError, zlib.error):
        return False
    return True


def _text(kind: bytes, content: bytes) -> bytes:
    if kind == b"iTXt":
        return _international(content)
    return _unpacked(content[1:]) if kind == b"zTXt" else content


def _international(content: bytes) -> bytes:
    """Return the text of an iTXt chunk behind its keyword (PNG 3, 11.3.3.4), which must name no language."""
    packed, method, language, translated, text = content[:1], content[1:2], *content[2:].split(b"\0", 2)
    if method != b"\0" or language or translated or packed not in {b"\0", b"\1"}:
        raise ValueError("an iTXt chunk that says more")
    return _unpacked(text) if packed == b"\1" else text


def _unpacked(packed: bytes) -> bytes:
    unpacker = zlib.decompressobj()
    text = unpacker.decompress(packed, _MAX)
    if not unpacker.eof or unpacker.unused_data:
        raise ValueError("more than its stream, or less")
    return text


def _raw(text: bytes) -> bytes:
    """Return the bytes of a profile as ImageMagick writes it: a name, their number, then hexadecimal lines."""
    _, _, length, lines = text.split(b"\n", 3)
    digits, size = lines.replace(b"\n", b""), 2 * int(length)
    if size > len(digits) or len(digits) > size + _JUNK:
        raise ValueError("another length than it says")
    return bytes.fromhex(digits[:size].decode("ascii"))
