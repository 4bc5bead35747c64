"""Strips and tiles of a TIFF are read to the last byte."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin, features

from batchcomp.errors import PictureError, UnsupportedPictureError
from batchcomp.images.load import decode_picture
from batchcomp.images.tiff_strips import strip_reasons
from batchcomp.images.tiff_tags import TiffFile
from tests.cli.samples import photo

from .make import encoded

libtiff = pytest.mark.skipif(not features.check("libtiff"), reason="PIL was built without libtiff")
PACKINGS = [
    "raw",
    *(pytest.param(one, marks=libtiff) for one in ("tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg")),
]
SECRET = b"\1secret\1"


def made(packing: str, size: tuple[int, int] = (90, 70), **options: Any) -> bytes:
    picture = Image.fromarray(photo(size[1], size[0], seed=3))
    return encoded(picture, "TIFF", compression=packing, tiffinfo={278: options.pop("rows", 16)}, **options)


def with_last_strip(data: bytes, content: bytes) -> bytes:
    """Return a TIFF whose last strip is another one, which stands at the end."""
    tags = {tag.number: tag for tag in TiffFile(data).first()}
    out = bytearray(data + bytes(len(data) % 2))
    for number, value in ((273, len(out)), (279, len(content))):
        tag = tags[number]
        size = {3: 2, 4: 4}[tag.kind]
        at = tag.at + len(tag.value) - size
        out[at : at + size] = struct.pack("<H" if size == 2 else "<I", value)
    start, size = (TiffFile(data).values(tags[number])[-1] for number in (273, 279))
    out[start : start + size] = bytes(size)
    return bytes(out + content)


def last_strip(data: bytes) -> bytes:
    tags = {tag.number: tag for tag in TiffFile(data).first()}
    start, size = (TiffFile(data).values(tags[number])[-1] for number in (273, 279))
    return data[start : start + size]


@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize("rows", [1, 16, 70])
def test_sound_files_have_nothing(packing: str, rows: int) -> None:
    """However many rows a strip has, and the last one."""
    if packing == "jpeg" and rows == 1:
        rows = 8
    data = made(packing, rows=rows)
    assert list(strip_reasons(data)) == []
    assert decode_picture(data, "a.tif").pixels.shape == (70, 90, 3)


@pytest.mark.parametrize("packing", PACKINGS)
def test_bytes_behind_the_pixels(packing: str) -> None:
    """No decoder looks there; zeros are filling."""
    data = made(packing)
    strip = last_strip(data)
    assert list(strip_reasons(with_last_strip(data, strip))) == []
    assert list(strip_reasons(with_last_strip(data, strip + bytes(20)))) == []
    with pytest.raises(UnsupportedPictureError, match="bytes after the last pixel"):
        decode_picture(with_last_strip(data, strip + SECRET), "a.tif")


def test_more_rows_than_the_picture_has() -> None:
    """In the last strip of one that is not packed."""
    data = made("raw")
    with pytest.raises(UnsupportedPictureError, match="bytes after the last pixel"):
        decode_picture(with_last_strip(data, last_strip(data) + b"\7" * 270), "a.tif")


@libtiff
def test_damage_that_libtiff_conceals() -> None:
    """The checksum of deflated pixels, and JPEG data that end early."""
    deflated, jpeg = made("tiff_adobe_deflate"), made("jpeg", rows=120, size=(160, 120))
    strip = last_strip(deflated)
    for bad in (
        with_last_strip(deflated, strip[:-1] + bytes([strip[-1] ^ 1])),
        with_last_strip(jpeg, last_strip(jpeg)[:-300] + b"\xff\xd9"),
    ):
        with pytest.raises(PictureError, match=r"a\.tif: (damaged|truncated) TIFF") as caught:
            decode_picture(bad, "a.tif")
        assert not isinstance(caught.value, UnsupportedPictureError)


def test_rare_packings_are_kept_as_they_are() -> None:
    """Nobody here can tell where their pixels end."""
    data = bytearray(made("raw"))
    tag = next(tag for tag in TiffFile(bytes(data)).first() if tag.number == 259)
    data[tag.at : tag.at + 2] = struct.pack("<H", 50_000)
    assert next(strip_reasons(bytes(data))).startswith("pixels packed in a rare way (50000)")


@libtiff
def test_the_end_of_lzw_is_seen_at_every_width() -> None:
    """Codes of 9 to 12 bits (TIFF 6.0, section 13), as strips of noise and of one value need them."""
    for pixels in (np.zeros((3, 3, 3), np.uint8), photo(40, 40, seed=1), photo(200, 300, seed=2)):
        data = encoded(Image.fromarray(pixels), "TIFF", compression="tiff_lzw", strip_size=2**20)
        assert list(strip_reasons(data)) == []
    assert TiffImagePlugin.WRITE_LIBTIFF is False
