"""The search for a quality, on curves whose answer is known."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchcomp.pipeline.quality_search import HIGHEST, LOWEST, MAX_TRIALS, Goal, search

Curve = Callable[[int], float]


def run(goal: Goal, curve: Curve, start: int = 5000) -> list[int]:
    """The qualities that are tried."""
    steps, tried = search(goal, start), []
    at = next(steps)
    while True:
        tried.append(at)
        try:
            at = steps.send(curve(at))
        except StopIteration:
            return tried


def bytes_like(scale: float, bend: float) -> Curve:
    return lambda at: math.log(scale) + 0.024 * at / 100 + bend * math.sin(at / 2000)


@given(st.floats(500, 1e6), st.floats(-0.15, 0.15), st.integers(LOWEST, HIGHEST), st.booleans())
@settings(max_examples=200)
def test_smooth_curves_are_hit_in_a_few_trials(scale: float, bend: float, answer: int, below: bool) -> None:
    """On a rising curve the target is met within its slack in at most eight trials."""
    curve = bytes_like(scale, bend)
    goal = Goal(limit=curve(answer), slack=0.018, slope=0.026, below=below)
    tried = run(goal, curve)
    assert any(goal.is_hit(curve(at)) for at in tried)
    assert len(tried) <= 8
    assert len(set(tried)) == len(tried)


@given(st.lists(st.floats(0, 1), min_size=20, max_size=20), st.floats(0, 1), st.booleans())
@settings(max_examples=200)
def test_stairs_end_in_bounded_trials(steps: list[float], share: float, below: bool) -> None:
    """A curve of jumps is searched to the end or to the limit of trials, within the range of qualities."""
    stairs = sorted(steps)
    goal = Goal(limit=share * 20, slack=0.018, slope=0.2, below=below)
    tried = run(goal, lambda at: 20 * stairs[min(19, at * 20 // HIGHEST)])
    assert len(tried) <= MAX_TRIALS
    assert all(LOWEST <= at <= HIGHEST for at in tried)


@pytest.mark.parametrize(("limit", "extreme"), [(-5.0, LOWEST), (25.0, HIGHEST)])
@pytest.mark.parametrize("below", [True, False])
def test_what_is_out_of_reach_is_tried_to_the_end(limit: float, extreme: int, below: bool) -> None:
    """Where nothing meets the limit, the outermost quality has been tried."""
    curve = bytes_like(1000, 0)
    assert extreme in run(Goal(limit=limit, slack=0.018, slope=0.026, below=below), curve)


def test_a_hit_is_on_the_right_side() -> None:
    """Bytes may not be above the limit, similarity not below."""
    bytes_goal = Goal(limit=10, slack=0.1, slope=1, below=True)
    assert [bytes_goal.is_hit(v) for v in (9.8, 9.95, 10, 10.01)] == [False, True, True, False]
    similarity = Goal(limit=10, slack=0.1, slope=1, below=False)
    assert [similarity.is_hit(v) for v in (9.99, 10, 10.05, 10.2)] == [False, True, True, False]
