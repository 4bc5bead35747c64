"""Nothing is found behind the pixels of sound files (what is found: test_foreign_data.py)."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from PIL import Image

from batchcomp.images.surplus import png_surplus

from .make import encoded, image, noise, png

SIZES = [(1, 1), (2, 1), (3, 7), (8, 8), (40, 30), (257, 129)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "LA", "1", "P", "I;16"])
def test_png(size: tuple[int, int], mode: str) -> None:
    """Of every colour type and depth."""
    assert not png_surplus(encoded(image("L", size).convert(mode), "PNG"))


def interlaced(size: tuple[int, int]) -> bytes:
    """Return an RGB PNG in the seven passes of Adam7 (PNG 3, 8.1)."""
    pixels, rows = noise(size[1], size[0]), b""
    steps = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
    for left, top, wide, high in steps:
        part = pixels[top::high, left::wide]
        rows += b"".join(b"\0" + row.tobytes() for row in part if part.shape[1])
    data = png(size, 8, 2, rows)
    header = struct.pack(">IIBBBBB", *size, 8, 2, 0, 0, 1)
    return data[:16] + header + struct.pack(">I", zlib.crc32(b"IHDR" + header)) + data[33:]


@pytest.mark.parametrize("size", SIZES)
def test_interlaced_png(size: tuple[int, int]) -> None:
    """Small pictures lack some of the seven passes."""
    assert not png_surplus(interlaced(size))
    with Image.open(io.BytesIO(interlaced(size))) as opened:
        opened.load()
        assert opened.size == size


def test_damage_is_a_value_error() -> None:
    """Pixels that cannot be unpacked."""
    data = encoded(image(), "PNG")
    at = data.index(b"IDAT") + 4
    with pytest.raises(ValueError, match="cannot be unpacked"):
        png_surplus(data[:at] + b"\xff\xff" + data[at + 2 :])
