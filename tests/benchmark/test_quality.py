"""CIEDE2000 and SSIMULACRA2 of pixels."""

from __future__ import annotations

import numpy as np
import pytest

from batchcomp.benchmark.quality import MAX_COLOURS, ciede2000, ssimulacra2
from tests.benchmark.samples import photo


def test_ciede2000_of_nothing_and_of_a_cast() -> None:
    """Equal pictures differ by 0, a visible cast by more than 1."""
    rgb = photo()
    assert ciede2000(rgb, rgb) == 0
    assert ciede2000(rgb, rgb // 8 * 7) > 1


def test_ciede2000_of_a_large_picture_is_sampled() -> None:
    """A sample of a large picture gives about what the whole gives."""
    tile = photo(64, 64)
    large = np.tile(tile, (9, 9, 1))
    assert large[:, :, 0].size > MAX_COLOURS
    assert ciede2000(large, large // 8 * 7) == pytest.approx(ciede2000(tile, tile // 8 * 7), rel=0.05)


def test_ssimulacra2_reads_pixels() -> None:
    """Equal pictures score 100, coarser ones less."""
    rgb = photo(64, 64)
    assert ssimulacra2(rgb, rgb) == pytest.approx(100)
    assert ssimulacra2(rgb, rgb // 16 * 16) < 95
