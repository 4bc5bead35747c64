"""Holes of zeros in HEIC, AVIF and WebP files are told, and sound files have none."""

from __future__ import annotations

import io
from typing import Any

import pillow_heif
import pytest
from PIL import Image

from batchcomp.errors import PictureError, UnsupportedPictureError
from batchcomp.images.holes import DOUBTFUL, HOLE, items_have_holes, webp_hole
from batchcomp.images.isobmff import read_items
from batchcomp.images.load import decode_picture
from batchcomp.images.riff import chunks
from tests.needs import needs

from .make import image, noise

pillow_heif.register_heif_opener()
SIZE = (256, 192)
KINDS = [pytest.param("AVIF", marks=needs("avif")), "HEIF"]


def noisy() -> Image.Image:
    return Image.fromarray(noise(SIZE[1], SIZE[0]))


def saved(picture: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def holed(data: bytes, start: int, size: int) -> bytes:
    return data[:start] + bytes(size) + data[start + size :]


def coded(data: bytes) -> tuple[int, int]:
    """Where the largest item lies."""
    largest = max(read_items(data).extents, key=lambda extent: extent.size)
    return largest.offset, largest.offset + largest.size


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [HOLE, 512, 4096])
@pytest.mark.parametrize("share", [0.3, 0.6, 1.0])
def test_holes_of_items(kind: str, size: int, share: float) -> None:
    """In the middle, or at the end, where a download stopped."""
    data = saved(noisy(), kind, quality=80)
    start, end = coded(data)
    bad = holed(data, min(int(start + share * (end - start)), end - size), size)
    assert not items_have_holes(data)
    assert items_have_holes(bad)
    with pytest.raises(PictureError, match=r"cat\.img: damaged .* file|cat\.img: .*gaps"):
        decode_picture(bad, "cat.img")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("colour", ["black", "white", "#808080", "red"])
@pytest.mark.parametrize("options", [{"quality": 30}, {"quality": 100}])
def test_flat_pictures_have_none(kind: str, colour: str, options: dict[str, Any]) -> None:
    """A coder that always codes what is likeliest writes few bytes, not many zeros."""
    picture = Image.new("RGB", (1024, 1024), colour)
    picture.putalpha(255)
    assert not items_have_holes(saved(picture, kind, **options))


def test_what_cannot_be_read_has_none() -> None:
    """Damage of the items is told elsewhere."""
    assert not items_have_holes(bytes(1000))


@needs("webp")
@pytest.mark.parametrize("lossless", [False, True])
def test_holes_of_webp(*, lossless: bool) -> None:
    """They give rise to doubt: the file is stored as it is, and that is said."""
    data = saved(noisy(), "WEBP", lossless=lossless)
    kind, start, end = next(chunk for chunk in chunks(data) if chunk[0] in DOUBTFUL)
    size = DOUBTFUL[kind]
    bad = holed(data, (start + end) // 2, size)
    assert not list(webp_hole(data))
    assert [reason.partition(" zero")[0] for reason in webp_hole(bad)] == [str(size)]
    with pytest.raises((UnsupportedPictureError, PictureError)):
        decode_picture(bad, "cat.webp")


@needs("webp")
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_ordinary_webp_has_none(mode: str) -> None:
    """Of a picture that is not flat."""
    assert not list(webp_hole(saved(image(mode, SIZE), "WEBP")))
