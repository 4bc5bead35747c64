"""The dev measure."""

from __future__ import annotations

import numpy as np
import pytest

from batchcomp.training.evaluate import bd_rate


def test_bd_rate_of_half_the_bytes_is_minus_50_percent() -> None:
    """Half the bytes at every quality is -50 %; a curve against itself is 0."""
    curve = np.array([[0.1, 0.85, 20], [0.2, 0.92, 22], [0.4, 0.96, 25], [0.8, 0.98, 28]])
    half = curve * [0.5, 1, 1]
    assert bd_rate(curve, curve) == pytest.approx(0)
    assert bd_rate(curve, half) == pytest.approx(-50)
