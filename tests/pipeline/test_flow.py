"""Bounded windows, and the stage that works ahead."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchcomp.pipeline.flow import ahead, windows


@given(st.lists(st.integers(0, 50)), st.integers(1, 6), st.integers(1, 100))
def test_windows_lose_and_reorder_nothing(weights: list[int], most: int, heaviest: int) -> None:
    """Concatenated windows are the input, and each keeps its bounds unless one item alone is heavier."""
    cut = list(windows(weights, lambda weight: weight, most=most, heaviest=heaviest))
    assert [weight for window in cut for weight in window] == weights
    for window in cut:
        assert 1 <= len(window) <= most
        assert sum(window) <= heaviest or len(window) == 1


@given(st.lists(st.integers(0, 50)), st.integers(1, 6), st.integers(1, 100))
def test_windows_are_as_full_as_they_may_be(weights: list[int], most: int, heaviest: int) -> None:
    """The first item of a window would not have fitted into the one before."""
    cut = list(windows(weights, lambda weight: weight, most=most, heaviest=heaviest))
    for before, after in pairwise(cut):
        assert len(before) == most or sum(before) + after[0] > heaviest


def test_windows_read_no_further_than_they_must() -> None:
    """A window is handed out before the item after next is looked at: a walk is not run through in advance."""
    seen: list[int] = []

    def items() -> Iterator[int]:
        for i in range(10):
            seen.append(i)
            yield i

    next(windows(items(), lambda _: 1, most=2))
    assert seen == [0, 1, 2]


def test_ahead_keeps_the_order() -> None:
    """What comes out is what went in."""
    assert list(ahead(iter(range(100)), by=3)) == list(range(100))
    assert list(ahead(iter(()))) == []


def test_ahead_works_in_another_thread() -> None:
    """The items are made in the background."""
    assert set(ahead(threading.current_thread() for _ in range(3))) != {threading.current_thread()}


def test_errors_of_the_background_are_raised_in_front() -> None:
    """Items made before the error still arrive, then the error itself."""

    def items() -> Iterator[int]:
        yield 1
        yield 2
        raise ValueError("broken")

    stream = ahead(items())
    assert [next(stream), next(stream)] == [1, 2]
    with pytest.raises(ValueError, match="broken"):
        next(stream)


@pytest.mark.parametrize("by", [1, 3])
def test_ahead_waits_for_its_consumer(by: int) -> None:
    """At most `by` items are begun or wait: memory stays bounded however slow the consumer is."""
    made: list[int] = []

    def items() -> Iterator[int]:
        for i in range(50):
            made.append(i)
            yield i

    stream = ahead(items(), by=by)
    for taken in range(1, 6):
        next(stream)
        wait_until(lambda taken=taken: len(made) == taken + by)
        time.sleep(0.02)
        assert len(made) == taken + by
    stream.close()


def test_closing_early_stops_the_thread() -> None:
    """No thread goes on working for a consumer that has left."""
    made: list[int] = []

    def items() -> Iterator[int]:
        for i in range(10_000):
            made.append(i)
            yield i

    before = threading.active_count()
    stream = ahead(items())
    assert next(stream) == 0
    stream.close()
    assert threading.active_count() == before
    assert len(made) < 10


def wait_until(condition: object, seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.001)
