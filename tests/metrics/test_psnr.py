"""PSNR."""

from __future__ import annotations

import math

import numpy as np
import pytest

from batchcomp.metrics.psnr import psnr
from tests.metrics.pictures import random_pair


def test_psnr_of_a_constant_difference() -> None:
    """A difference of 5 everywhere is 20 log10(255 / 5) dB, over more rows than one step takes."""
    x = np.full((300, 2, 3), 100, np.uint8)
    assert psnr(x, x + 5) == pytest.approx(20 * math.log10(255 / 5))


def test_psnr_follows_its_formula_and_is_symmetric() -> None:
    """It is 10 log10(255^2 / MSE), whichever picture is the reference."""
    x, y = random_pair(517, 33)
    expected = 10 * math.log10(255**2 / np.mean((x.astype(float) - y) ** 2))
    assert psnr(x, y) == pytest.approx(expected)
    assert psnr(y, x) == psnr(x, y)


def test_psnr_of_identical_pictures_is_infinite() -> None:
    """No difference is infinitely many dB."""
    x, _ = random_pair(1, 1)
    assert psnr(x, x) == math.inf


def test_psnr_refuses_other_shapes() -> None:
    """Pictures of two shapes are an error."""
    with pytest.raises(ValueError, match="one shape"):
        psnr(np.zeros((2, 2, 3), np.uint8), np.zeros((2, 2, 1), np.uint8))
