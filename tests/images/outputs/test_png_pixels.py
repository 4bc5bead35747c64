"""Pixels of a PNG: what any reader gives back, whatever the filter, the strips and the compressor."""

from __future__ import annotations

import io
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from batchcomp.images.alpha import split
from batchcomp.images.outputs import png_pixels
from batchcomp.images.outputs.png import PngOutput
from batchcomp.images.outputs.png_pixels import AVERAGE, SUB, UP, idat_chunks
from batchcomp.images.picture import Metadata, Picture
from batchcomp.images.pillow_array import pixels_of
from batchcomp.images.png_chunks import png_chunks
from tests.images.make import noise


def read_back(image: Image.Image) -> np.ndarray:
    colours, alpha_png = split(image)
    picture, file = Picture(pixels=pixels_of(colours), metadata=Metadata(alpha=alpha_png)), io.BytesIO()
    PngOutput().write(picture, file)
    found = Image.open(file)
    assert found.mode == image.mode
    return np.asarray(found)


@pytest.mark.parametrize("channels", [1, 3])
def test_part_of_an_array_comes_back(channels: int) -> None:
    """Restored pictures are the upper left of what the networks made, whose rows are longer."""
    whole = noise(60, 50, 3)[:, :, :channels]
    file = io.BytesIO()
    PngOutput().write(Picture(pixels=whole[:41, :33]), file)
    assert np.array_equal(pixels_of(Image.open(file)), whole[:41, :33])


@given(st.integers(1, 60), st.integers(1, 60), st.sampled_from(["L", "LA", "RGB", "RGBA"]), st.integers(1, 400))
@settings(max_examples=60, deadline=None)
def test_every_layout_comes_back(height: int, width: int, mode: str, strip: int) -> None:
    """Strips of any height, down to a single row."""
    image = Image.fromarray(noise(height, width, 3)).convert(mode)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(png_pixels, "_STRIP", strip)
        assert np.array_equal(read_back(image), np.asarray(image))


@pytest.mark.parametrize("kind", [SUB, UP, AVERAGE])
@pytest.mark.parametrize("with_isal", [True, False])
def test_every_filter_comes_back(monkeypatch: pytest.MonkeyPatch, kind: int, with_isal: bool) -> None:
    """Each with either compressor; the first and the last row and column too."""
    if not with_isal:
        monkeypatch.setattr(png_pixels, "_ISAL", None)
    right = png_pixels._filtered
    monkeypatch.setattr(png_pixels, "_filtered", lambda *args, **given: right(*args, **given | {"kind": kind}))
    image = Image.fromarray(noise(37, 21, 3))
    assert np.array_equal(read_back(image), np.asarray(image))


def test_the_filter_that_fits_is_taken() -> None:
    """Columns of one colour each are predicted from above, rows of one colour each from the left."""
    column = noise(1, 200, 3)
    for pixels, kind in ((np.repeat(column, 100, axis=0), UP), (np.repeat(column, 100, axis=0).swapaxes(0, 1), SUB)):
        data = b"\x89PNG\r\n\x1a\n" + b"".join(idat_chunks(np.ascontiguousarray(pixels)))
        found = zlib.decompress(b"".join(content for _, content, sound in png_chunks(data) if sound))
        assert found[0] == kind
        assert len(found) == pixels.shape[0] * (1 + 3 * pixels.shape[1])
