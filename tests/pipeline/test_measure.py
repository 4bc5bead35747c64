"""The comparison with plain JPEG, against brute force."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from batchcomp.codec.plain_jpeg import HIGHEST, LOWEST, JpegCurve
from batchcomp.images.picture import Picture, Pixels
from batchcomp.pipeline import measure as module
from batchcomp.pipeline.measure import measure
from tests.cli.samples import photo

QUALITIES = range(LOWEST, HIGHEST + 1)


@cache
def curve_of(channels: int) -> JpegCurve:
    return JpegCurve(photo(40, 30, channels=channels))


def test_measure_compares_at_equal_bytes_and_at_equal_quality() -> None:
    """Both figures belong to real JPEG files of the original, chosen as documented."""
    pixels, curve = photo(40, 30), curve_of(3)
    restored = np.clip(pixels.astype(int) + 6, 0, 255).astype(np.uint8)
    budget = curve.size(40)
    found = measure(Picture(pixels=pixels), Picture(pixels=restored), budget)
    assert found.jpeg is not None
    assert found.jpeg.bytes <= budget < curve.size(found.jpeg.quality + 1)
    assert found.jpeg.ms_ssim == curve.ms_ssim(found.jpeg.quality)
    wanted = [curve.size(quality) for quality in QUALITIES if curve.ms_ssim(quality) >= found.ms_ssim]
    assert found.jpeg.bytes_at_ms_ssim == (pytest.approx(wanted[0], rel=0.05) if wanted else None)


def test_an_exact_copy_measures_one() -> None:
    """MS-SSIM of a picture with itself is 1."""
    picture = Picture(pixels=photo(7, 5))
    assert measure(picture, picture, 400).ms_ssim == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 1, 1), (7, 8, 3), (1, 200, 1)])
def test_odd_sizes_can_be_measured(shape: tuple[int, int, int]) -> None:
    """No picture is too small or too thin."""
    pixels: Pixels = np.full(shape, 99, dtype=np.uint8)
    found = measure(Picture(pixels=pixels), Picture(pixels=pixels), 1)
    assert found.jpeg is not None
    assert found.jpeg.quality == LOWEST
    assert found.jpeg.bytes > 1


def test_a_side_beyond_jpegs_limit_has_no_rival(monkeypatch: pytest.MonkeyPatch) -> None:
    """What plain JPEG cannot hold is measured without it instead of ending the run."""
    monkeypatch.setattr(module, "MAX_SIDE", 10)
    picture = Picture(pixels=photo(11, 5))
    found = measure(picture, picture, 400)
    assert found.jpeg is None
    assert found.ms_ssim > 0.99
