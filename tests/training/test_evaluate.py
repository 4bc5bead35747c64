"""The dev measure."""

from __future__ import annotations

import math

import numpy as np
import pytest

from batchcomp.training.evaluate import DevScore, bd_rate, mean_of, rate_change


def test_bd_rate_of_half_the_bytes_is_minus_50_percent() -> None:
    """Half the bytes at every quality is -50 %; a curve against itself is 0."""
    curve = np.array([[0.1, 0.85, 20, 10], [0.2, 0.92, 22, 35], [0.4, 0.96, 25, 60], [0.8, 0.98, 28, 80]])
    half = curve * [0.5, 1, 1, 1]
    assert bd_rate(curve, curve) == pytest.approx(0)
    assert bd_rate(curve, half) == pytest.approx(-50)


def test_curves_that_never_meet_have_no_change_of_rate() -> None:
    """There is no quality at which both could be compared."""
    rates = np.array([0.1, 0.2])
    assert math.isnan(rate_change((rates, np.array([10.0, 20.0])), (rates, np.array([30.0, 40.0]))))


def score(bd_rate: float, ssimulacra2_bd_rate: float) -> DevScore:
    return DevScore(
        bd_rate=bd_rate, ssimulacra2_bd_rate=ssimulacra2_bd_rate, psnr_gain=1.0, curve=np.full((2, 4), bd_rate)
    )


def test_the_best_weights_have_the_best_mean_of_both_rates() -> None:
    """By MS-SSIM alone where SSIMULACRA2's curves do not meet."""
    assert score(-40.0, -20.0).mean_bd_rate == -30
    assert score(-40.0, math.nan).mean_bd_rate == -40


def test_sets_of_photos_count_alike() -> None:
    """The mean score is that of the sets, however many photos each has."""
    mean = mean_of([score(-40.0, -20.0), score(-60.0, -10.0)])
    assert (mean.bd_rate, mean.ssimulacra2_bd_rate, mean.psnr_gain) == (-50, -15, 1)
    assert (mean.curve == -50).all()
