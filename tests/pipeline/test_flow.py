"""Bounded windows, and the stage that works ahead."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchcomp.pipeline.flow import AHEAD, ahead, ordered, windows


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


@given(st.lists(st.integers(0, 50), max_size=30), st.integers(1, 4), st.integers(1, 100))
@settings(max_examples=40, deadline=None)
def test_ordered_keeps_order_and_its_bound(weights: list[int], threads: int, heaviest: int) -> None:
    """Answers come in the items' order, and what is in hand never exceeds the bound unless one item does alone."""
    lock, held, most = threading.Lock(), [0], [0]

    def work(number: int) -> int:
        with lock:
            held[0] += weights[number]
            most[0] = max(most[0], held[0] if held[0] != weights[number] else 0)
        time.sleep(0.0001 * (number % 3))
        return number

    answers = []
    for answer in ordered(range(len(weights)), work, weights.__getitem__, threads=threads, heaviest=heaviest):
        with lock:
            held[0] -= weights[answer]
        answers.append(answer)
    assert answers == list(range(len(weights)))
    assert most[0] <= heaviest


def test_ordered_takes_no_more_than_it_may_hold() -> None:
    """A slow consumer stops the stream: nothing is read ahead without bound, however light it is."""
    taken: list[int] = []

    def items() -> Iterator[int]:
        for i in range(1000):
            taken.append(i)
            yield i

    stream = ordered(items(), lambda i: i, lambda _: 0, threads=2, heaviest=1)
    assert next(stream) == 0
    time.sleep(0.05)
    assert len(taken) <= 2 * AHEAD + 2
    stream.close()


def test_ordered_works_in_parallel() -> None:
    """Two items that wait for each other both get their turn."""
    meeting = threading.Barrier(2, timeout=10)
    assert len(list(ordered(range(4), lambda _: meeting.wait(), lambda _: 1, threads=2, heaviest=9))) == 4


def test_ordered_raises_in_order_and_begins_nothing_more() -> None:
    """Answers before the broken item arrive; the items behind it that no thread had begun never begin."""
    begun: list[int] = []

    def work(number: int) -> int:
        begun.append(number)
        if number == 1:
            raise ValueError("broken")
        return number

    stream = ordered(iter(range(100)), work, lambda _: 10, threads=1, heaviest=10)
    assert next(stream) == 0
    with pytest.raises(ValueError, match="broken"):
        next(stream)
    assert begun == [0, 1]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("pictures")]
