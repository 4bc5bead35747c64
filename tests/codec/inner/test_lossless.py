"""Lossless files are exact, small, and tried only where they may be."""

from __future__ import annotations

import numpy as np
import pytest

from batchcomp.codec.inner import lossless
from batchcomp.images.load import decode_picture
from batchcomp.images.picture import Metadata, Picture
from tests.codec.samples import screenshot


def noise(height: int = 150, width: int = 170) -> np.ndarray:
    return np.random.default_rng(2).integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_metadata_that_a_lossless_file_would_lose_keeps_it_out() -> None:
    """Only a file that gives back pixels and metadata exactly may take the place: WebP has no density."""
    picture = Picture(pixels=screenshot(), metadata=Metadata(dpi=(300, 200), exif=b"II*\0\x08\0\0\0\0\0\0\0\0\0"))
    found = lossless.lossless(picture, 1_000_000)
    assert found is None or decode_picture(found[1], "").metadata == picture.metadata
    assert lossless.lossless(Picture(pixels=screenshot()), 100) is None


def test_large_photos_are_not_tried_in_earnest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tiles of a large photo, however smooth, rule lossless files out at once; a large drawing still gets its own."""
    rows, columns = np.mgrid[:1000, :1200]
    drawing = np.repeat(((rows // 50 + columns // 60) % 2 * 255).astype(np.uint8)[:, :, None], 3, axis=2)
    assert lossless.lossless(Picture(pixels=drawing, metadata=Metadata()), 20_000) is not None
    smooth = 120 + 60 * np.sin(rows / 90) + 50 * np.cos(columns / 70)
    noise = np.random.default_rng(0).normal(0, 1, (1000, 1200, 3))
    photo = (smooth[:, :, None] + noise).clip(0, 255).astype(np.uint8)
    monkeypatch.setattr(lossless, "_files", lambda _: pytest.fail("tried"))
    assert lossless.lossless(Picture(pixels=photo, metadata=Metadata()), 20_000) is None


def test_small_photos_are_not_tried_in_earnest(monkeypatch: pytest.MonkeyPatch) -> None:
    """A usual PNG of a small smooth photo rules lossless files out; a blank page of any size still gets its own."""
    for side in (1, 16, 500):
        blank = Picture(pixels=np.full((side, side, 3), 255, np.uint8), metadata=Metadata())
        assert lossless.lossless(blank, 3000) is not None  # also as PNG, where PIL has no WebP
    steps = np.random.default_rng(0).integers(-1, 2, (200, 200, 1)).cumsum(axis=1).clip(-90, 90) + 120
    smooth = np.repeat(steps.astype(np.uint8), 3, axis=2)
    assert lossless.is_graphic(smooth)
    monkeypatch.setattr(lossless, "_files", lambda _: pytest.fail("tried"))
    assert lossless.lossless(Picture(pixels=smooth, metadata=Metadata()), 800) is None


@pytest.mark.parametrize("channels", [1, 3])
def test_flat_pixels_equal_their_left_neighbours_in_all_channels(channels: int) -> None:
    """Three of ten make a graphic; a pixel that differs in one channel only is not flat."""
    pixels = np.arange(11, dtype=np.uint8)[None, :, None].repeat(channels, axis=2)
    pixels[0, 1:4] = pixels[0, 0]
    assert lossless.is_graphic(pixels)
    pixels[0, 3, channels - 1] = 200
    assert not lossless.is_graphic(pixels)
