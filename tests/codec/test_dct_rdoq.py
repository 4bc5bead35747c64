"""From pixels to the coefficients that a payload stores, and from those to a file."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from batchcomp.codec import baseline, dct, jpeg, rdoq
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


@given(st.integers(1, 5), st.integers(1, 5), st.sampled_from([1, 3]), st.integers(0, 2**32 - 1), st.floats(0.1, 900))
@settings(max_examples=30, deadline=None)
def test_any_coefficients_make_a_sound_file(rows: int, columns: int, planes: int, seed: int, scale: float) -> None:
    """Runs, escapes and end-of-block codes are right for every pattern of zeros: Pillow reads as many blocks."""
    rng = np.random.default_rng(seed)
    values = np.clip(rng.laplace(0, scale, (planes, rows, columns, 8, 8)) * (rng.random((8, 8)) < 0.3), -1023, 1023)
    tables = np.ones((2, 8, 8), np.int64)
    data = baseline.jpeg_of(values.astype(np.int16), tables, (8 * columns, 8 * rows))
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        assert image.size == (8 * columns, 8 * rows)
    assert len(jpeg.squeeze(data)) <= len(data)


def test_coefficients_come_back_from_the_file() -> None:
    """What a file was made of is what its pixels show, where no pixel was clipped."""
    found = dct.coefficients((photo(120, 88) // 2 + 64).astype(np.uint8), FLAT)
    pixels = jpeg.decode(baseline.jpeg_of(found, FLAT, (88, 120)))[0]
    assert np.mean(nearest(pixels, FLAT) == found) > 0.999


def test_bands_change_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """However few blocks are written at once, the bits are the same."""
    found = nearest(photo(200, 170), FLAT)
    whole = baseline.jpeg_of(found, FLAT, (170, 200))
    monkeypatch.setattr(dct, "_BAND_BLOCKS", 20)
    assert baseline.jpeg_of(found, FLAT, (170, 200)) == whole
    assert [(band.start, band.stop) for band in dct.bands(7, 6)] == [(0, 3), (3, 6), (6, 7)]


def plane(seed: int, blocks: int = 300) -> rdoq.Scaled:
    """Coefficients as photos have them: the higher the frequency, the smaller."""
    rng = np.random.default_rng(seed)
    return rng.laplace(0, np.geomspace(6, 0.1, 64), (blocks, 64)).astype(np.float32)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_only_small_coefficients_are_dropped(seed: int) -> None:
    """Whatever is not the nearest whole number is an AC coefficient of size one, just above half a step, now zero."""
    scaled = plane(seed, 40)
    found, usual = rdoq.quantise(scaled), np.rint(scaled)
    dropped = found != usual
    assert not found[dropped].any()
    assert not dropped[:, 0].any()
    assert np.all(np.abs(usual[dropped]) == 1)
    assert np.all(np.abs(scaled[dropped]) <= 0.5 + rdoq.USUAL.most)


def test_the_dear_ones_are_dropped() -> None:
    """A coefficient alone among zeros goes where one of the same size in company stays."""
    scaled = np.zeros((200, 64), np.float32)
    scaled[:100, 1:20] = 1.0  # busy blocks
    scaled[0, 20] = scaled[150, 50] = 0.55
    found = rdoq.quantise(scaled)
    assert found[0, 20] == 1
    assert found[150, 50] == 0


def test_dropping_saves_what_it_costs() -> None:
    """Files get smaller by more than their error grows, in logarithms, as a finer rounding would make them."""
    pixels = photo(256, 320)
    files = [nearest(pixels, FLAT), dct.coefficients(pixels, FLAT)]
    data = [jpeg.squeeze(baseline.jpeg_of(found, FLAT, (320, 256))) for found in files]
    assert len(data[1]) < len(data[0])
    errors = [np.mean((jpeg.decode(file)[0].astype(float) - pixels) ** 2) for file in data]
    assert errors[1] < 1.1 * errors[0]


@pytest.mark.parametrize("blocks", [0, 1])
def test_planes_without_coefficients(blocks: int) -> None:
    """A plane of zeros, or of no blocks at all, is no special case."""
    assert not rdoq.quantise(np.zeros((blocks, 64), np.float32)).any()
