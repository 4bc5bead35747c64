"""Metadata of an opened, loaded Pillow image, byte for byte where the source format allows it."""

from __future__ import annotations

import math
import struct

from PIL import ExifTags, Image, ImageFile, TiffImagePlugin

from batchcomp.images import isobmff, jxl, tiff_tags
from batchcomp.images.jpeg_segments import APP13, EXIF, MAX_CONTENT, PHOTOSHOP, further_segments, trailer
from batchcomp.images.picture import Metadata
from batchcomp.images.png_chunks import further_chunks

MAX_EXIF = 65_527  # bytes in one JPEG APP1 segment after its length field and prefix
MAX_XMP = 65_502  # likewise, after the APP1 namespace prefix
MAX_ICC = 255 * 65_519  # bytes in the at most 255 APP2 segments of a profile
MAX_DPI = 65_535  # JFIF density is 16 bit

# Tags of a TIFF's first directory that describe the photograph, not the layout of the file.
DESCRIPTIVE = (
    269, 270, 271, 272, 274, 282, 283, 285, 296, 297, 301, 305, 306, 315, 316, 318, 33432, 50_341,
    ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo,
)  # fmt: skip
_TIFF_XMP = 700
TIFF_IPTC, TIFF_PHOTOSHOP = 33_723, 34_377


def read_metadata(image: ImageFile.ImageFile, data: bytes) -> Metadata:
    """Return the metadata of `image`, which has been loaded from `data` (PNG keeps some of it after the pixels)."""
    jpeg = image.format in {"JPEG", "MPO"}
    return Metadata(
        exif=_exif(image, data),
        icc=_bytes(image.info.get("icc_profile")),
        xmp=_xmp(image, data),
        dpi=_dpi(image),
        segments=further_segments(data) if jpeg else _tiff_photoshop(image),
        chunks=further_chunks(data) if image.format == "PNG" else (),
        trailer=trailer(data) if image.format == "JPEG" else b"",  # MPO: the other pictures
    )


def _bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else b""


def _exif(image: ImageFile.ImageFile, data: bytes) -> bytes:
    if image.format == "TIFF":
        return _tiff_exif(data)
    exif = _bytes(image.info.get("exif")) or _raw_profile(image.info.get("Raw profile type exif"))
    exif = exif.removeprefix(EXIF)
    if image.format == "AVIF":
        return _avif_exif(exif, data)
    return tiff_tags.upright(exif) if image.format == "JXL" else exif  # its decoder has turned the pixels


def _xmp(image: ImageFile.ImageFile, data: bytes) -> bytes:
    if image.format == "JXL":
        return next((content for kind, content in jxl.boxes(data) if kind == b"xml "), b"")
    if image.format == "TIFF":  # Pillow takes the orientation out of it when it turns the pixels
        return _tiff_xmp(data)
    return _bytes(image.info.get("xmp")) or _raw_profile(image.info.get("Raw profile type xmp"))


def _tiff_photoshop(image: ImageFile.ImageFile) -> tuple[tuple[int, bytes], ...]:
    """Return a TIFF's Photoshop resources or IPTC data as the APP13 segment that a JPEG has for them."""
    if not isinstance(image, TiffImagePlugin.TiffImageFile):
        return ()
    resources, iptc = (_tag_bytes(image.tag_v2.get(tag)) for tag in (TIFF_PHOTOSHOP, TIFF_IPTC))
    if iptc and not resources:  # resource 0x0404 without a name (Adobe Photoshop file formats, image resource blocks)
        resources = struct.pack(">4sHHI", b"8BIM", 0x0404, 0, len(iptc)) + iptc + bytes(len(iptc) % 2)
    fits = 0 < len(resources) <= MAX_CONTENT - len(PHOTOSHOP)
    return ((APP13, PHOTOSHOP + resources),) if fits else ()


def _raw_profile(text: object) -> bytes:
    """Return a profile that ImageMagick keeps in PNG text: a name, its length, then hexadecimal lines."""
    if not isinstance(text, str):
        return b""
    try:
        _, _, length, digits = text.split("\n", 3)
        return bytes.fromhex(digits.replace("\n", "")[: 2 * int(length)])
    except ValueError:
        return b""


def _tiff_exif(data: bytes) -> bytes:
    """Return the descriptive tags of a TIFF as an EXIF structure of its own; no bytes where it has none or is damaged.

    The second is a reason to store the source as it is: `faithful.tiff_reasons`.
    """
    try:
        return tiff_tags.exif_of(data, DESCRIPTIVE)
    except ValueError:
        return b""


def _tiff_xmp(data: bytes) -> bytes:
    try:
        return next((tag.value for tag in tiff_tags.TiffFile(data).first() if tag.number == _TIFF_XMP), b"")
    except ValueError:
        return b""


def _avif_exif(exif: bytes, data: bytes) -> bytes:
    """Return the EXIF that stands in an AVIF file, with the orientation that Pillow found.

    Where `irot` and `imir` say another one than EXIF, Pillow writes EXIF anew, which costs its texts.
    """
    if not exif or exif in data:
        return exif
    found = Image.Exif()
    found.load(exif)
    for source in isobmff.exif_items(data):
        try:
            return tiff_tags.with_orientation(source, found.get(ExifTags.Base.Orientation, tiff_tags.UPRIGHT))
        except ValueError:
            continue
    return exif


def _tag_bytes(value: object) -> bytes:
    """Return the value of a tag of bytes; b"" for IPTC written as numbers, of which Pillow gives the first only."""
    return _bytes(value[0] if isinstance(value, tuple) and len(value) == 1 else value)


def _dpi(image: ImageFile.ImageFile) -> tuple[int, int] | None:
    # Pillow fills a JPEG's dpi from EXIF, or with 72, when the JFIF header has none; EXIF travels by itself.
    if image.format in {"JPEG", "MPO"} and image.info.get("jfif_unit") not in {1, 2}:
        return None
    try:
        dpi = tuple(float(value) for value in image.info["dpi"])
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    if len(dpi) != 2 or not all(math.isfinite(value) and 0.5 <= value <= MAX_DPI for value in dpi):
        return None
    return round(dpi[0]), round(dpi[1])
