"""The coarse scales from means of 4x4 pixels, held against those of whole pictures."""

from __future__ import annotations

import numpy as np
import pytest

from batchcomp.metrics.coarse import FINE, coarse_terms, quarter
from batchcomp.metrics.ms_ssim import SCALES, Pixels, Terms
from tests.cli.samples import photo


def pair(height: int, width: int, channels: int = 3) -> tuple[Pixels, Pixels]:
    """A photo, and one that is brighter and coarser."""
    x = np.tile(photo(60, 70, channels=channels), (-(-height // 60), -(-width // 70), 1))[:height, :width]
    return x, x // 5 * 5 + 2


@pytest.mark.parametrize("size", [(176, 180), (177, 183), (178, 182), (179, 181), (700, 643)])
@pytest.mark.parametrize("channels", [1, 3])
def test_they_are_those_of_the_whole_picture(size: tuple[int, int], channels: int) -> None:
    """Whatever the sides leave over when they are divided by 4."""
    x, y = pair(*size, channels)
    whole, found = Terms.of(x, y, range(FINE, SCALES)), coarse_terms(quarter(x), quarter(y))
    assert np.abs(whole.means[FINE:] - found.means[FINE:]).max() < 1e-6
    assert 0.5 < whole.means[FINE:].min() < whole.means[FINE:].max() < 0.99999
    assert np.array_equal(whole.windows[FINE:], found.windows[FINE:])
    assert not found.sums[:FINE].any()


@pytest.mark.parametrize("size", [(1, 1), (5, 3), (600, 9)])
def test_means_are_exact_and_begin_with_zeros(size: tuple[int, int]) -> None:
    """Sides are filled up before the first row and column, as MS-SSIM's pooling does."""
    x, _ = pair(*size)
    padded = np.pad(x, [(-size[0] % 4, 0), (-size[1] % 4, 0), (0, 0)]).astype(np.float64)
    wanted = padded.reshape(len(padded) // 4, 4, -1, 4, 3).mean(axis=(1, 3)).transpose(2, 0, 1)
    assert np.array_equal(quarter(x), wanted)
