"""Bytes at equal SSIMULACRA2: exact on curves whose answer is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from batchcomp.benchmark.eye import RANGES, all_by_eye, compare_by_eye, rate_change
from tests.benchmark.samples import point

SCORES = np.linspace(20, 95, 16)
RATES = np.exp(SCORES / 25)


def rows(factor: float = 1, scores: np.ndarray = SCORES) -> np.ndarray:
    return np.column_stack([factor * RATES, scores])


@pytest.mark.parametrize("factor", [0.7, 1, 1.3])
def test_a_curve_at_a_factor_of_the_bytes_is_that_much_off_in_every_range(factor: float) -> None:
    for low, high in RANGES:
        assert rate_change(rows(), rows(factor), low, high) == pytest.approx(100 * (factor - 1))


def test_the_order_of_the_points_does_not_matter() -> None:
    assert rate_change(rows(), rows(0.8)[::-1], 30, 60) == pytest.approx(-20)


def test_where_a_curve_turns_back_its_best_point_so_far_counts() -> None:
    scores = SCORES.copy()
    scores[8] = 10  # more bytes for less quality: nobody would choose that
    assert rate_change(rows(), rows(1, scores), 30, 60) > 0
    assert rate_change(rows(), rows(1, scores), 78, 90) == pytest.approx(0)


def test_curves_that_hardly_meet_in_a_range_say_nothing() -> None:
    assert math.isnan(rate_change(rows(), rows()[:3], 30, 60))
    assert rate_change(rows(), rows()[:6], 30, 60) == pytest.approx(0)


def test_each_picture_counts_alike_and_those_that_do_not_meet_are_left_out() -> None:
    points = [
        point(float(rate) * factor, 0.9, rival=rival, picture=picture, ssimulacra2=float(score))
        for picture, factors in {"p": (1, 0.5), "q": (3, 2.4)}.items()
        for rival, factor in zip("ab", factors, strict=True)
        for rate, score in zip(RATES, SCORES, strict=True)
    ]
    points += [point(1 + i, 0.9, rival=rival, picture="r", ssimulacra2=5.0 + i) for rival in "ab" for i in range(4)]
    found = compare_by_eye(points, "b", "a", 30, 60)
    assert found.pictures == 2
    assert found.mean_of_pictures == pytest.approx((-50 - 20) / 2)


def test_anchors_that_were_not_measured_are_left_out() -> None:
    points = [point(float(r), 0.9, rival=rival, ssimulacra2=float(s)) for rival in "ab" for r, s in rows()]
    found = all_by_eye(points, ["a", "b"], ["avif", "a"])
    assert [(rate.rival, rate.anchor, rate.low, rate.high) for rate in found] == [("b", "a", *r) for r in RANGES]
    assert [rate.mean_of_pictures for rate in found] == pytest.approx([0, 0, 0])
