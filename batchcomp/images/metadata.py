"""Metadata of an opened, loaded Pillow image, byte for byte where the source format allows it."""

from __future__ import annotations

import math
from typing import Any

from PIL import ExifTags, Image, ImageFile

from batchcomp.images.picture import Metadata

EXIF_PREFIX = b"Exif\0\0"
EXIF_MAX = 65_527  # bytes in one JPEG APP1 segment after its length field and prefix
XMP_MAX = 65_502  # likewise, after the APP1 namespace prefix
ICC_MAX = 255 * 65_519  # bytes in the at most 255 APP2 segments of a profile
DPI_MAX = 65_535  # JFIF density is 16 bit

# Tags of a TIFF's first directory that describe the photograph, not the layout of the file.
_DESCRIPTIVE = (270, 271, 272, 274, 282, 283, 296, 305, 306, 315, 33432, ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo)


def read_metadata(image: ImageFile.ImageFile) -> Metadata:
    """Return the metadata of `image`, which has been loaded (PNG keeps some of it after the pixels)."""
    return Metadata(
        exif=_exif(image),
        icc=_bytes(image.info.get("icc_profile")),
        xmp=_bytes(image.info.get("xmp")) or _raw_profile(image.info.get("Raw profile type xmp")),
        dpi=_dpi(image),
    )


def _bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else b""


def _exif(image: ImageFile.ImageFile) -> bytes:
    if image.format == "TIFF":
        return _tiff_exif(image)
    exif = _bytes(image.info.get("exif")) or _raw_profile(image.info.get("Raw profile type exif"))
    return exif.removeprefix(EXIF_PREFIX)


def _raw_profile(text: object) -> bytes:
    """Return a profile that ImageMagick keeps in PNG text: a name, its length, then hexadecimal lines."""
    if not isinstance(text, str):
        return b""
    try:
        _, _, length, digits = text.split("\n", 3)
        return bytes.fromhex(digits.replace("\n", "")[: 2 * int(length)])
    except ValueError:
        return b""


def _tiff_exif(image: ImageFile.ImageFile) -> bytes:
    """Return the descriptive tags of a TIFF as an EXIF structure of its own; no bytes when it has none."""
    source, kept = image.getexif(), Image.Exif()
    kept.endian = "<"
    for tag in _DESCRIPTIVE:
        value: Any = source.get_ifd(tag) if tag in (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo) else source.get(tag)
        if value:
            kept[tag] = value
    return kept.tobytes().removeprefix(EXIF_PREFIX) if len(kept) else b""


def _dpi(image: ImageFile.ImageFile) -> tuple[int, int] | None:
    # Pillow fills a JPEG's dpi from EXIF, or with 72, when the JFIF header has none; EXIF travels by itself.
    if image.format in {"JPEG", "MPO"} and image.info.get("jfif_unit") not in {1, 2}:
        return None
    try:
        dpi = tuple(float(value) for value in image.info["dpi"])
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    if len(dpi) != 2 or not all(math.isfinite(value) and 0.5 <= value <= DPI_MAX for value in dpi):
        return None
    return round(dpi[0]), round(dpi[1])
