"""The chunks of a PNG file, read without decoding (https://www.w3.org/TR/png-3/#5Chunk-layout)."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import Final

from batchcomp.images.png_profiles import RAW_EXIF, RAW_XMP, XMP_KEY

_SIGNATURE_BYTES: Final = 8
_KEPT: Final = frozenset((b"tEXt", b"zTXt", b"iTXt", b"tIME", b"sRGB", b"gAMA", b"cHRM", b"sBIT"))
# Those that a picture of the same size may hold too, whoever wrote them (PNG 3; PNG extensions 1.5).
_KEPT_TOO: Final = frozenset((b"bKGD", b"sPLT", b"oFFs", b"sCAL", b"sTER", b"pCAL", b"PLTE", b"hIST", b"cICP"))
# Read into other fields of `Metadata`, or of the file's layout only: iDOT says where its pixels are cut.
CARRIED: Final = frozenset((b"IHDR", b"IDAT", b"IEND", b"iCCP", b"eXIf", b"pHYs", b"iDOT", b"tEXt", b"zTXt", b"iTXt"))
_ELSEWHERE: Final = (XMP_KEY, RAW_EXIF, RAW_XMP)  # in `Metadata`


def png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes, bool]]:
    """Yield (type, content, checksum is right) of the chunks of a PNG; stop at its end or at the first damage."""
    at = _SIGNATURE_BYTES
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


def chunk_start(data: bytes, wanted: bytes) -> int:
    """Return the offset of the first chunk of a type; that of the end where there is none."""
    at = _SIGNATURE_BYTES
    for kind, content, _ in png_chunks(data):
        if kind == wanted:
            return at
        at += 12 + len(content)
    return at


def further_chunks(data: bytes) -> tuple[tuple[bytes, bytes], ...]:
    """Return (type, content) of a PNG's chunks that hold for the restored picture too and have no field of `Metadata`.

    Texts, the time stamp, sRGB and the like, and chunks that their author calls safe to copy (PNG 3, 5.4).
    """
    return tuple((kind, content) for kind, content, sound in png_chunks(data) if sound and _is_kept(kind, content))


def png_end(data: bytes) -> int:
    """Return the offset behind the IEND chunk of a PNG."""
    return chunk_start(data, b"")


def _is_kept(kind: bytes, content: bytes) -> bool:
    if kind == b"pHYs":
        return not _as_dpi(content)
    if kind in _KEPT_TOO:
        return True
    if kind in _KEPT:
        return not content.startswith(_ELSEWHERE)
    return kind not in CARRIED and kind[0:1].islower() and kind[3:4].islower()  # ancillary, safe to copy


def _as_dpi(content: bytes) -> bool:
    """Tell whether a pHYs chunk is what whole pixels per inch are written as."""
    if len(content) != 9 or content[8] != 1:
        return False
    for number in struct.unpack(">II", content[:8]):
        dpi = round(number * 0.0254)
        if not 0 < dpi <= 65_535 or int(dpi / 0.0254 + 0.5) != number:
            return False
    return True
