"""Sound pictures that no decoder here reads: named for what they are, since copying them again would not help."""

from __future__ import annotations

import struct
from contextlib import suppress
from typing import Final

from batchcomp.images.jpeg_segments import START, segments

_KINDS: Final = {
    b"\0\0\0\x0cjP  \r\n\x87\n": "JPEG 2000",
    b"\xff\x4f\xff\x51": "JPEG 2000",
    b"II\xbc\1": "JPEG XR",
    b"BPG\xfb": "BPG",
    b"qoif": "QOI",
    b"FLIF": "FLIF",
    b"v/1\1": "OpenEXR",
    b"#?RADIANCE": "Radiance HDR",
    b"DDS ": "DirectDraw",
}
# Under their own suffixes these are what `formats.FOREIGN` says; under another picture's they are no damage.
_MISNAMED: Final = {
    b"8BPS": "Photoshop",
    b"gimp xcf": "GIMP",
    b"PF\n": "floating point PFM",
    b"P7\n": "PAM",
    b"\x8bJNG\r\n\x1a\n": "JNG",
    b"\x8aMNG\r\n\x1a\n": "MNG",
    b"\x01\xda": "SGI",
    b"farbfeld": "farbfeld",
    b"SIMPLE  =": "FITS",
    b"icns": "Apple icon",
    b"\0\0\1\0": "Windows icon",
    b"FUJIFILMCCD-RAW": "camera raw",
    b"IIU\0": "camera raw",
    b"IIRO": "camera raw",
    b"IIRS": "camera raw",
    b"MMOR": "camera raw",
    b"\0MRM": "camera raw",
    b"FOVb": "camera raw",
    b"II\x1a\0\0\0HEAPCCDR": "camera raw",
}
_FRAMES: Final = {
    **dict.fromkeys((0xC3, 0xCB), "lossless JPEG"),
    **dict.fromkeys((0xC5, 0xC6, 0xC7, 0xCD, 0xCE, 0xCF, 0xDE, 0xDF), "hierarchical JPEG"),
    **dict.fromkeys((0xC9, 0xCA), "arithmetically coded JPEG"),  # Pillow may read it, but nothing tells its damage
    **dict.fromkeys(range(0xF0, 0xFE), "JPEG with extensions"),
    0xF7: "JPEG-LS",
}
_PLAIN: Final = frozenset((0xC0, 0xC1, 0xC2))
_DECODED: Final = {0, 1, 2, 3, 4, 5, 6, 7, 8, 32_773, 32_946}  # TIFF compressions of every libtiff
_COMPRESSIONS: Final = {
    33_003: "JPEG 2000", 33_005: "JPEG 2000", 34_712: "JPEG 2000", 34_887: "LERC", 34_925: "LZMA", 50_000: "Zstandard",
    50_001: "WebP", 50_002: "JPEG XL", 52_546: "JPEG XL", 34_933: "PNG", 22_610: "JPEG XR", 34_934: "JPEG XR",
    34_676: "SGI LogLuv", 34_677: "SGI LogLuv", 34_892: "lossy JPEG of DNG",
}  # fmt: skip


def exotic_kind(data: bytes, *, misnamed: bool = False) -> str | None:
    """Return the kind of picture that `data` is by its first bytes, if it is one of these.

    `misnamed`: its suffix is that of a format that is read.
    """
    kinds = _KINDS | _MISNAMED if misnamed else _KINDS
    kind = next((kind for start, kind in kinds.items() if data.startswith(start)), None)
    return f"{kind} picture, which is not decoded here" if kind else None


def exotic_reason(data: bytes) -> str | None:
    """Return why a JPEG file is of a kind that is not decoded here, None where it is not."""
    with suppress(ValueError, IndexError):
        for segment in segments(data) if data.startswith(START) else ():
            if kind := _FRAMES.get(segment.marker):
                return f"{kind} picture, which is not decoded here"
            if segment.marker in _PLAIN and data[segment.start + 4] != 8:
                return f"{data[segment.start + 4]} bits per sample"
    return None


def tiff_compression(data: bytes) -> str | None:
    """Return how a TIFF's pixels are packed, where not every reader of TIFF can unpack that."""
    order = "<" if data.startswith(b"II") else ">"
    with suppress(struct.error):
        (at,) = struct.unpack_from(f"{order}I", data, 4)
        for entry in range(at + 2, at + 2 + 12 * struct.unpack_from(f"{order}H", data, at)[0], 12):
            tag, _, _, value = struct.unpack_from(f"{order}HHIH", data, entry)
            if tag == 259 and value not in _DECODED:
                return _COMPRESSIONS.get(value, f"compression {value}")
    return None
