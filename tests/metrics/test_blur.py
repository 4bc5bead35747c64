"""Gaussian means by banded products are those of the window itself, of all rows or of every other one."""

from __future__ import annotations

import numpy as np
import pytest

from batchcomp.metrics.blur import Blur
from batchcomp.metrics.ssim_window import HALO, taps


@pytest.mark.parametrize("size", [(1, 1), (16, 16), (17, 40), (64, 33), (31, 5)])
@pytest.mark.parametrize(("step", "start"), [(1, 0), (2, 0), (2, 1)])
def test_means_are_the_windows(size: tuple[int, int], step: int, start: int) -> None:
    """Odd sizes, pieces of a block, and a start beyond the only row included."""
    height, width = size
    maps = np.random.default_rng(1).normal(size=(2, height + HALO, width + HALO)).astype(np.float32)
    found = Blur(2, 64, 64)(maps, step, start)
    rows = sum(tap * maps[:, n : n + height] for n, tap in enumerate(taps()))
    means = sum(tap * rows[:, :, n : n + width] for n, tap in enumerate(taps()))
    wanted = np.asarray(means)[:, start::step]
    assert found.shape == wanted.shape
    assert np.allclose(found, wanted, atol=1e-5)
