"""From pixels to the coefficients that a payload stores."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from batchcomp.codec import baseline, dct, jpeg
from batchcomp.images.picture import Pixels
from tests.cli.samples import photo

FLAT = np.full((2, 8, 8), 10)


def nearest(pixels: Pixels, tables: np.ndarray) -> dct.Coefficients:
    """Coefficients rounded as JPEG encoders usually do."""
    height, width, count = pixels.shape
    whole = np.empty((count, -(-height // 8) * -(-width // 8), 64), np.int16)
    whole[..., dct.ZIGZAG] = np.rint(dct.scaled(pixels, tables))
    return whole.reshape(count, -(-height // 8), -(-width // 8), 8, 8)


@pytest.mark.parametrize("size", [(40, 72), (64, 101)])
@pytest.mark.parametrize("channels", [1, 3])
def test_coefficients_are_those_of_libjpeg(size: tuple[int, int], channels: int) -> None:
    """Rounded to the nearest, they make a file as true to the pixels as the one that Pillow writes of them."""
    pixels = photo(*size, channels=channels)
    image = Image.fromarray(pixels[:, :, 0] if channels == 1 else pixels)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", qtables=[[10] * 64] * (2 if channels == 3 else 1), subsampling=0)
    ours = baseline.jpeg_of(nearest(pixels, FLAT), FLAT, (size[1], size[0]))
    errors = [np.abs(jpeg.decode(file)[0].astype(int) - pixels).mean() for file in (ours, buffer.getvalue())]
    assert errors[0] == pytest.approx(errors[1], rel=0.03)


def test_a_block_does_not_depend_on_its_company() -> None:
    """Sums are exact in float32, so that one block alone has the coefficients that it has among others, to the bit."""
    pixels = photo(160, 240)
    together = dct.scaled(pixels, FLAT)
    for block in (0, 17, 599):
        row, column = divmod(block, 30)
        alone = dct.scaled(pixels[8 * row : 8 * row + 8, 8 * column : 8 * column + 8], FLAT)
        assert np.array_equal(alone[:, 0], together[:, block])


def test_the_matrix_is_the_dct() -> None:
    """It is orthonormal, and a flat block has a DC coefficient only."""
    matrix = dct.matrix().astype(np.float64)
    assert np.allclose(matrix @ matrix.T, np.eye(64), atol=1e-3)
    assert np.allclose(matrix @ np.ones(64), [8] + [0] * 63, atol=1e-3)


def test_coefficients_come_back_from_the_file() -> None:
    """What a file was made of is what its pixels show, where no pixel was clipped."""
    found = dct.coefficients((photo(120, 88) // 2 + 64).astype(np.uint8), FLAT)
    pixels = jpeg.decode(baseline.jpeg_of(found, FLAT, (88, 120)))[0]
    assert np.mean(nearest(pixels, FLAT) == found) > 0.999
