"""The formats that are read: the one table. A new one is a line here, with what reads it.

Content decides, not the suffix: a file is opened as the format whose signature its first bytes match. Nothing outside
this table is ever handed to a decoder, so Pillow's rarer (and less tested) plugins stay out of reach.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePath
from typing import IO

from PIL import ImageFile
from PIL.AvifImagePlugin import AvifImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.JpegImagePlugin import jpeg_factory
from PIL.PngImagePlugin import PngImageFile
from PIL.PpmImagePlugin import PpmImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from batchcomp.images import faithful, jxl
from batchcomp.images import header_sizes as sizes
from batchcomp.images.faithful import Reasons
from batchcomp.images.jpeg_segments import START
from batchcomp.images.raw import RAW, open_raw

Opener = Callable[[IO[bytes], str], ImageFile.ImageFile]


def _open_heif(file: IO[bytes], name: str) -> ImageFile.ImageFile:
    from pillow_heif import HeifImageFile  # noqa: PLC0415 - of an extra

    opened: ImageFile.ImageFile = HeifImageFile(file, name)  # type: ignore[no-untyped-call]
    return opened


def _open_jxl(file: IO[bytes], name: str) -> ImageFile.ImageFile:
    from pillow_jxl.JpegXLImagePlugin import JXLImageFile  # noqa: PLC0415 - of an extra

    return JXLImageFile(file, name)


@dataclass(frozen=True)
class Format:
    """One readable format.

    Attributes:
        name: in messages.
        suffixes: of its files, in lower case.
        signature: how its content begins, a regular expression.
        opener: what opens it.
        size: width and height from its header alone.
        reasons: why a picture of this format cannot be carried faithfully.
        extra: the extra of this package that brings the decoder, "" where Pillow has it.
        feature: how PIL.features calls the decoder, where PIL may have been built without it.
    """

    name: str
    suffixes: tuple[str, ...]
    signature: bytes
    opener: Opener
    size: Callable[[bytes, IO[bytes]], tuple[int, int]]
    reasons: Reasons = faithful.no_reasons
    extra: str = ""
    feature: str = ""


# Openers are called directly, not through Image.open, whose pixel ceiling is a process-wide setting (ours: Limits).
_JXL = re.escape(jxl.CODESTREAM) + b"|" + re.escape(jxl.CONTAINER)
_HEIC, _AVIF = rb"....ftyphe[iv][cxms]|....ftypm[is]f1", rb"....ftypavi[fs]|....ftypm[is]f1.{0,64}avi[fs]"
_BMP = rb"BM.{12}[\x0c\x28\x34\x38\x40\x6c\x7c]\0\0\0"
_JPEG_SUFFIXES = (".jpg", ".jpeg", ".jpe", ".jfif", ".mpo")
_PPM_SUFFIXES = (".ppm", ".pgm", ".pbm", ".pnm", ".pfm")
_HEIC_SUFFIXES = (".heic", ".heif", ".hif", ".heics", ".heifs")

JPEG = Format("JPEG", _JPEG_SUFFIXES, START + b"\xff", jpeg_factory, sizes.jpeg_size, faithful.jpeg_reasons)
READS = (
    JPEG,
    Format("PNG", (".png", ".apng"), rb"\x89PNG\r\n\x1a\n", PngImageFile, sizes.png_size, faithful.png_reasons),
    Format("WebP", (".webp",), rb"RIFF....WEBP", WebPImageFile, sizes.webp_size, faithful.webp_reasons, feature="webp"),
    Format("TIFF", (".tif", ".tiff"), rb"II[*+]\0|MM\0[*+]", TiffImageFile, sizes.tiff_size, faithful.tiff_reasons),
    Format("BMP", (".bmp",), _BMP, BmpImageFile, sizes.bmp_size, faithful.bmp_reasons),
    Format("GIF", (".gif",), rb"GIF8[79]a", GifImageFile, sizes.gif_size, faithful.gif_reasons),
    Format("PPM", _PPM_SUFFIXES, rb"P[1-6f]\s\s*[#\d]", PpmImageFile, sizes.ppm_size, faithful.ppm_reasons),
    Format("AVIF", (".avif", ".avifs"), _AVIF, AvifImageFile, sizes.heif_size, faithful.avif_reasons, feature="avif"),
    Format("HEIC", _HEIC_SUFFIXES, _HEIC, _open_heif, sizes.heif_size, faithful.heif_reasons, extra="heif"),
    Format("JPEG XL", (".jxl",), _JXL, _open_jxl, sizes.jxl_size, faithful.jxl_reasons, extra="jxl"),
)

# Never by content: as TIFFs, which most are, raw files would open as their thumbnail.
RAW_FILE = Format(RAW, (), rb"(?!)", open_raw, lambda _head, _file: (0, 0), extra="raw")

# Pictures by their suffix that are not read as their content says; raw files are where the extra is installed.
FOREIGN = {
    ".jp2": "JPEG 2000", ".j2k": "JPEG 2000", ".jpf": "JPEG 2000", ".jpx": "JPEG 2000", ".j2c": "JPEG 2000",
    ".jxr": "JPEG XR", ".wdp": "JPEG XR", ".bpg": "BPG", ".flif": "FLIF", ".qoi": "QOI", ".dds": "DirectDraw",
    ".psd": "Photoshop", ".psb": "Photoshop", ".xcf": "GIMP", ".exr": "OpenEXR", ".svg": "SVG",
    ".tga": "Targa", ".pcx": "PCX", ".sgi": "SGI", ".pam": "PAM",
    ".dng": RAW, ".cr2": RAW, ".cr3": RAW, ".nef": RAW, ".nrw": RAW,
    ".arw": RAW, ".raf": RAW, ".orf": RAW, ".rw2": RAW, ".pef": RAW,
    ".srw": RAW, ".3fr": RAW, ".iiq": RAW, ".rwl": RAW, ".kdc": RAW,
    ".dcr": RAW, ".mrw": RAW, ".x3f": RAW, ".erf": RAW, ".mef": RAW,
    ".gpr": RAW, ".fff": RAW,
}  # fmt: skip

NO_PICTURE = b"\x00\x05\x16\x07"  # begins AppleDouble files (`._NAME`): macOS metadata under a picture's suffix
_SUFFIXES = frozenset(suffix for entry in READS for suffix in entry.suffixes)
SIGNATURE_BYTES = 96  # enough to match every signature above


def recognise(data: bytes) -> Format | None:
    """Return the format whose signature `data` begins with, or None."""
    head = data[:SIGNATURE_BYTES]
    return next((entry for entry in READS if re.match(entry.signature, head, re.DOTALL)), None)


def foreign(name: str) -> str | None:
    """Return the kind of picture that the suffix of `name` promises and we cannot read, or None."""
    return FOREIGN.get(PurePath(name).suffix.lower())


def has_picture_suffix(name: str) -> bool:
    """Tell whether the suffix of `name` promises a picture, readable or not."""
    suffix = PurePath(name).suffix.lower()
    return suffix in _SUFFIXES or suffix in FOREIGN
