"""Parts of pictures: where they are cut, how they are turned, how large they get."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from batchcomp.images.orientation import turned
from batchcomp.images.picture import Metadata
from batchcomp.pages import images
from batchcomp.pages.images import BLOCK, Box, cut, encoded_within, orientation_of, upright_box, worst_box
from tests.cli.samples import photo


def blank(width: int, height: int) -> np.ndarray:
    return np.zeros((-(-height // BLOCK), -(-width // BLOCK)), np.float32)


@given(st.integers(1, 5000), st.integers(1, 5000), st.booleans())
def test_the_part_lies_inside_and_is_bounded(width: int, height: int, flat: bool) -> None:
    """Whatever the size, the part lies in the picture, is not empty, and has no more pixels than the page bears."""
    unlike = blank(width, height)
    if not flat:
        unlike[-1, -1] = 1
    box = worst_box(unlike, width, height)
    assert 0 <= box.left < box.right <= width
    assert 0 <= box.top < box.bottom <= height
    assert box.width * box.height <= 768 * 512
    if width * height <= 512 * 512 and max(width, height) <= 512:
        assert (box.width, box.height) == (width, height)


def test_the_part_holds_the_worst_spot() -> None:
    """The part is where most is unlike."""
    unlike = blank(4000, 3000)
    unlike[600:620, 700:720] = 1
    box = worst_box(unlike, 4000, 3000)
    assert box.left <= 2800
    assert box.right >= 2880
    assert box.top <= 2400
    assert box.bottom >= 2480


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_and_boxes_are_turned_alike(orientation: int) -> None:
    """A part that is turned is the same as that part of the turned picture, which is as Pillow turns it."""
    pixels, box = photo(30, 50), Box(left=4, top=8, width=20, height=12)
    exif = Image.Exif()
    exif[0x112] = orientation
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", exif=exif)
    whole = ImageOps.exif_transpose(Image.open(buffer))
    metadata = Metadata(exif=exif.tobytes().removeprefix(b"Exif\0\0"))
    assert orientation_of(metadata) == orientation
    part = turned(Image.fromarray(cut(pixels, box, of=(50, 30))), orientation)
    there = upright_box(box, (50, 30), orientation)
    expected = whole.crop((there.left, there.top, there.right, there.bottom))
    assert np.array_equal(np.asarray(part), np.asarray(expected))


@pytest.mark.parametrize("exif", [b"", b"II", b"nonsense", b"MM\0*\0\0\0\x08\xff\xff"])
def test_damaged_exif_turns_nothing(exif: bytes) -> None:
    """Where EXIF makes no sense the picture is shown as it is stored."""
    assert orientation_of(Metadata(exif=exif)) == 1


def test_a_smaller_picture_is_cut_at_the_same_place() -> None:
    """The same part of a compact picture, which has half the width and height, is cut."""
    box = Box(left=20, top=10, width=20, height=10)
    assert np.array_equal(cut(photo(20, 30), box, of=(60, 40)), photo(20, 30)[5:10, 10:20])


def test_versions_are_exact_where_there_is_room_and_fit_where_there_is_not() -> None:
    """With room the pixels come back exactly; with less, all versions are written alike and fit."""
    versions = {"a": Image.fromarray(photo(96, 128)), "b": Image.fromarray(photo(96, 128, seed=1))}
    uris, quality = encoded_within(versions, 200_000)
    data = base64.b64decode(uris["a"].removeprefix("data:image/webp;base64,"))
    assert quality == 100
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(data)).convert("RGB")), photo(96, 128))
    uris, quality = encoded_within(versions, 30_000)
    assert 65 <= quality <= 96
    assert sum(map(len, uris.values())) < 30_500


def test_heat_is_clear_where_pictures_are_alike() -> None:
    """Nothing is drawn at SSIM 1; the worst is nearly opaque."""
    uri = images.heat(np.array([[0.0, 0.0], [0.0, 0.6]], np.float32).repeat(16, 0).repeat(16, 1), 1)
    data = base64.b64decode(uri.partition(",")[2])
    alpha = np.asarray(Image.open(io.BytesIO(data)).convert("RGBA"))[..., 3]
    assert alpha[4, 4] == 0
    assert alpha[28, 28] > 220
