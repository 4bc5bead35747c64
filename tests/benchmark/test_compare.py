"""Curves against curves, on curves whose answers are known."""

from __future__ import annotations

from dataclasses import replace

import pytest

from batchcomp.benchmark.compare import (
    USUAL_SPAN,
    MeanPoint,
    bd_rate,
    compare_bd_rate,
    count_wins,
    db_at,
    mean_curve,
    ms_ssim_at,
    rising,
)
from tests.benchmark.samples import curve, point


def test_bd_rate_against_itself_is_zero() -> None:
    """A curve needs as many bytes as itself."""
    assert bd_rate(curve(), curve()) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(("scale", "percent"), [(0.5, -50), (2, 100), (0.9, -10)])
def test_bd_rate_of_the_same_curve_at_other_bytes(scale: float, percent: float) -> None:
    """The same quality for half the bytes is -50 %, whatever the curve."""
    assert bd_rate(curve(), curve(scale)) == pytest.approx(percent, abs=1e-6)


def test_bd_rate_needs_overlapping_curves() -> None:
    """Curves without a common quality, or of one point, are an error that says so."""
    low = [point(0.1, 0.5), point(0.2, 0.6)]
    with pytest.raises(ValueError, match=r"do not overlap: 8\.2\.\.20\.0 dB and 3\.0\.\.4\.0 dB"):
        bd_rate(curve(), low)
    with pytest.raises(ValueError, match="two rising points"):
        bd_rate(curve(), low[:1])


def test_a_curve_keeps_only_what_buys_quality() -> None:
    """A point that costs more for less, or is lossless, has no place on a curve."""
    bent = [point(0.3, 0.9), point(0.1, 0.8), point(0.2, 0.95), point(3, 1.0)]
    assert rising(bent)[0] == [0.1, 0.2]


def test_a_curve_is_read_at_a_rate_and_not_beyond_it() -> None:
    """Inside the curve there is a value at every rate, outside there is none."""
    assert ms_ssim_at(curve(), 0.4) == pytest.approx(0.95)
    assert 0.95 < (ms_ssim_at(curve(), 0.5) or 0) < 0.975
    assert db_at(curve(), 0.1) is not None
    assert db_at(curve(), 1.6) is not None
    assert db_at(curve(), 0.09) is None
    assert db_at(curve(), 1.7) is None
    assert db_at([], 1) is None


def test_mean_curve_averages_pictures_at_equal_quality() -> None:
    """Bytes and MS-SSIM are averaged over the pictures of one quality, in order of bytes."""
    points = [
        point(0.2, 0.9, picture="p", quality=1),
        point(0.4, 0.8, picture="q", quality=1),
        point(0.1, 0.7, picture="p", quality=0),
    ]
    means = [(mean.quality, mean.bpp, mean.ms_ssim) for mean in mean_curve(points)]
    assert means == [(0, 0.1, 0.7), (1, pytest.approx(0.3), pytest.approx(0.85))]


def test_wins_count_pictures_that_both_curves_reach() -> None:
    """A picture whose curve does not reach the rate counts for neither side."""
    points = [
        *curve(rival="jpeg", picture="p"),
        *curve(rival="jpeg", picture="q"),
        *curve(rival="jpeg", picture="r"),
        *curve(rival="x", picture="p", gain=0.005),
        *curve(rival="x", picture="q", gain=-0.005),
        *curve(4, rival="x", picture="r"),  # starts at .4 bpp
    ]
    wins = count_wins(points, "x", "jpeg", 0.3)
    assert (wins.wins, wins.compared) == (1, 2)
    assert count_wins(points, "x", "jpeg", 9).compared == 0


def test_bd_rate_rows_hold_both_kinds_of_mean() -> None:
    """A row has the BD-rate of the mean curves and the mean of the BD-rates."""
    points = [
        *curve(rival="jpeg", picture="p"),
        *curve(rival="jpeg", picture="q"),
        *curve(0.5, rival="x", picture="p"),
        *curve(0.8, rival="x", picture="q"),
    ]
    row = compare_bd_rate(points, "x", "jpeg")
    assert row.mean_of_pictures == pytest.approx(-35)
    assert row.of_mean_curve == pytest.approx(-35)
    assert row.pictures == 2
    assert row.span == pytest.approx((8.239, 20), abs=1e-3)
    assert compare_bd_rate(points, "nobody", "jpeg").of_mean_curve is None


def test_the_usual_span_leaves_out_what_lies_beyond() -> None:
    """A codec that halves the bytes from 12.5 to 20 dB and none beyond is at -50 % there, and at less in all."""
    decibels = (10.0, 12.5, 15.0, 17.5, 20.0, 22.5)
    anchor = [
        MeanPoint(rival="a", quality=i, bpp=0.01 * 3**i, ms_ssim=1 - 10 ** (-d / 10)) for i, d in enumerate(decibels)
    ]
    halved = [replace(p, bpp=p.bpp * (0.5 if 12 < p.db < 20.1 else 1)) for p in anchor]
    assert bd_rate(anchor, halved, span=USUAL_SPAN) == pytest.approx(-50, abs=0.1)
    assert bd_rate(anchor, halved) > -48
