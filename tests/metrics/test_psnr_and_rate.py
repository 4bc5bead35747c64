"""PSNR and bits per pixel."""

from __future__ import annotations

import math

import numpy as np
import pytest

from batchcomp.metrics.psnr import psnr
from batchcomp.metrics.rate import bits_per_pixel
from tests.metrics.pictures import random_pair


def test_psnr_of_a_constant_difference() -> None:
    x = np.full((300, 2, 3), 100, np.uint8)
    assert psnr(x, x + 5) == pytest.approx(20 * math.log10(255 / 5))


def test_psnr_follows_its_formula_and_is_symmetric() -> None:
    x, y = random_pair(517, 33)
    expected = 10 * math.log10(255**2 / np.mean((x.astype(float) - y) ** 2))
    assert psnr(x, y) == pytest.approx(expected)
    assert psnr(y, x) == psnr(x, y)


def test_psnr_of_identical_pictures_is_infinite() -> None:
    x, _ = random_pair(1, 1)
    assert psnr(x, x) == math.inf


def test_psnr_refuses_other_shapes() -> None:
    with pytest.raises(ValueError, match="one shape"):
        psnr(np.zeros((2, 2, 3), np.uint8), np.zeros((2, 2, 1), np.uint8))


def test_bits_per_pixel() -> None:
    assert bits_per_pixel(100, 20, 40) == 1.0
