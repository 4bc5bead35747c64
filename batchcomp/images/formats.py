"""The formats we read and write: the one table to extend.

Content decides, not the suffix: a file is opened as the format whose signature its first bytes match. Nothing outside
this table is ever handed to a decoder, so Pillow's rarer (and less tested) plugins stay out of reach.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePath
from typing import IO

from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    PpmImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

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
    """One readable format: its name, its suffixes in lower case, how its content begins and what opens it.

    `extra` is the extra of this package that brings the decoder, "" where Pillow has it. `feature` is how PIL.features
    calls the decoder, where PIL may have been built without it.
    """

    name: str
    suffixes: tuple[str, ...]
    signature: re.Pattern[bytes]
    opener: Opener
    extra: str = ""
    feature: str = ""


def _starts(pattern: bytes) -> re.Pattern[bytes]:
    return re.compile(pattern, re.DOTALL)


# Openers are called directly, not through Image.open, whose pixel ceiling is a process-wide setting (ours: Limits).
JPEG = Format(
    "JPEG", (".jpg", ".jpeg", ".jpe", ".jfif", ".mpo"), _starts(rb"\xff\xd8\xff"), JpegImagePlugin.jpeg_factory
)
READS = (
    JPEG,
    Format("PNG", (".png", ".apng"), _starts(rb"\x89PNG\r\n\x1a\n"), PngImagePlugin.PngImageFile),
    Format("WebP", (".webp",), _starts(rb"RIFF....WEBP"), WebPImagePlugin.WebPImageFile, feature="webp"),
    Format("TIFF", (".tif", ".tiff"), _starts(rb"II[*+]\0|MM\0[*+]"), TiffImagePlugin.TiffImageFile),
    Format("BMP", (".bmp",), _starts(rb"BM.{12}[\x0c\x28\x34\x38\x40\x6c\x7c]\0\0\0"), BmpImagePlugin.BmpImageFile),
    Format("GIF", (".gif",), _starts(rb"GIF8[79]a"), GifImagePlugin.GifImageFile),
    Format(
        "PPM", (".ppm", ".pgm", ".pbm", ".pnm", ".pfm"), _starts(rb"P[1-6f]\s\s*[#\d]"), PpmImagePlugin.PpmImageFile
    ),
    Format(
        "AVIF",
        (".avif", ".avifs"),
        _starts(rb"....ftypavi[fs]|....ftypm[is]f1.{0,64}avi[fs]"),
        AvifImagePlugin.AvifImageFile,
        feature="avif",
    ),
    Format(
        "HEIC",
        (".heic", ".heif", ".hif", ".heics", ".heifs"),
        _starts(rb"....ftyphe[iv][cxms]|....ftypm[is]f1"),
        _open_heif,
        extra="heif",
    ),
    Format("JPEG XL", (".jxl",), _starts(rb"\xff\x0a|\0\0\0\x0cJXL \r\n\x87\n"), _open_jxl, extra="jxl"),
)

# Pictures by their suffix that we cannot read. Raw files must stop here: as TIFFs they would open as their thumbnail.
FOREIGN = {
    ".jp2": "JPEG 2000", ".j2k": "JPEG 2000",
    ".psd": "Photoshop", ".xcf": "GIMP", ".exr": "OpenEXR", ".svg": "SVG",
    ".dng": "camera raw", ".cr2": "camera raw", ".cr3": "camera raw", ".nef": "camera raw", ".nrw": "camera raw",
    ".arw": "camera raw", ".raf": "camera raw", ".orf": "camera raw", ".rw2": "camera raw", ".pef": "camera raw",
    ".srw": "camera raw", ".3fr": "camera raw", ".iiq": "camera raw", ".rwl": "camera raw",
}  # fmt: skip

SAVES = {"png": ".png", "jpeg": ".jpg", "webp": ".webp"}  # name of the output format -> suffix of its files

_SUFFIXES = frozenset(suffix for entry in READS for suffix in entry.suffixes)
SIGNATURE_BYTES = 96  # enough to match every signature above


def recognise(data: bytes) -> Format | None:
    """Return the format whose signature `data` begins with, or None."""
    head = data[:SIGNATURE_BYTES]
    return next((entry for entry in READS if entry.signature.match(head)), None)


def foreign(name: str) -> str | None:
    """Return the kind of picture that the suffix of `name` promises and we cannot read, or None."""
    return FOREIGN.get(PurePath(name).suffix.lower())


def has_picture_suffix(name: str) -> bool:
    """Tell whether the suffix of `name` promises a picture, readable or not."""
    suffix = PurePath(name).suffix.lower()
    return suffix in _SUFFIXES or suffix in FOREIGN
