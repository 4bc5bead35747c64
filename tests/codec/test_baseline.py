"""From coefficients to a baseline JPEG file."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from batchcomp.codec import baseline, dct, jpeg
from tests.cli.samples import photo
from tests.codec.test_dct import FLAT, nearest


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


def test_bands_change_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """However few blocks are written at once, the bits are the same."""
    found = nearest(photo(200, 170), FLAT)
    whole = baseline.jpeg_of(found, FLAT, (170, 200))
    monkeypatch.setattr(dct, "_BAND_BLOCKS", 20)
    assert baseline.jpeg_of(found, FLAT, (170, 200)) == whole
    assert [(band.start, band.stop) for band in dct.bands(7, 6)] == [(0, 3), (3, 6), (6, 7)]
