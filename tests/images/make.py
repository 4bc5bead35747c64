"""Small files of every kind, made on the spot."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Collection, Iterable
from functools import cache
from typing import Any

import numpy as np
from PIL import Image, ImageCms

from batchcomp.images.picture import Pixels
from tests.needs import param


def noise(height: int, width: int, channels: int = 3, seed: int = 0) -> Pixels:
    """Return uint8 noise of shape (height, width, channels)."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, channels), dtype=np.uint8)


def image(mode: str = "RGB", size: tuple[int, int] = (40, 30)) -> Image.Image:
    """Return a picture of `size` (width, height) in any mode of Pillow's."""
    return Image.fromarray(noise(size[1], size[0])).convert(mode)


def encoded(picture: Image.Image, kind: str, **options: Any) -> bytes:
    """Return the content of a file of Pillow's format `kind`."""
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def png(size: tuple[int, int], depth: int, colour: int, rows: bytes, more: Iterable[tuple[bytes, bytes]] = ()) -> bytes:
    """Return a PNG with any header, whatever its pixels; `more` are chunks between header and pixels."""
    header = struct.pack(">IIBBBBB", *size, depth, colour, 0, 0, 0)
    chunks = [(b"IHDR", header), *more, (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*chunk) for chunk in chunks)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def with_segment(jpeg: bytes, marker: int, content: bytes) -> bytes:
    """Return `jpeg` with one more segment right after its start."""
    return jpeg[:2] + struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content + jpeg[2:]


def exif(orientation: int) -> bytes:
    """Return an EXIF structure, without the "Exif" prefix, that holds an orientation."""
    tags = Image.Exif()
    tags[0x0112] = orientation
    return tags.tobytes().removeprefix(b"Exif\0\0")


CASE_NEEDS = {
    "Lab": "littlecms2",
    **dict.fromkeys(("animated webp", "large exif", "large xmp", "truncated webp"), "webp"),
    "truncated avif": "avif",
}


def cases(table: Collection[str]) -> list[object]:
    """Return the names in a table of tests as parameters, each with what its file is made by."""
    return [param(case, CASE_NEEDS[case]) if case in CASE_NEEDS else case for case in table]


@cache
def profile() -> bytes:
    """Return an sRGB profile."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def display_p3() -> bytes:
    """Return a profile of Display P3's primaries (SMPTE EG 432-1, adapted to D50) and sRGB's white and curve."""
    data = bytearray(profile())
    primaries = {
        b"rXYZ": (0.5151, 0.2412, -0.0011),
        b"gXYZ": (0.2919, 0.6922, 0.0419),
        b"bXYZ": (0.1572, 0.0666, 0.7841),
    }
    for number in range(int.from_bytes(data[128:132], "big")):
        name, start, _ = struct.unpack_from(">4sII", data, 132 + 12 * number)
        if name in primaries:
            struct.pack_into(">3i", data, start + 8, *(round(value * 65_536) for value in primaries[name]))
    data[84:100] = bytes(16)  # the checksum, which is optional
    return bytes(data)
