"""Events and what they come to."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from batchcomp.errors import ExitCode
from batchcomp.pipeline.records import Done, Event, Failed, Idle, Outcome, Passed, tally

EVENTS: list[Event] = [
    Done(name="a"),
    Passed(name="b", reason="no picture"),
    Failed(name="c", reason="c: broken"),
    Idle(),
]


def test_every_event_is_counted_and_shown() -> None:
    """One place counts; each event is shown after it was counted."""
    outcome, shown = Outcome(), list[tuple[Event, int]]()
    found = tally((event for event in EVENTS), lambda event: shown.append((event, outcome.counts.total())), outcome)
    assert found is outcome
    assert [event for event, _ in shown] == EVENTS
    assert [count for _, count in shown] == [1, 2, 3, 3]
    assert found.counts == {"done": 1, "skipped": 1, "failed": 1}
    assert found.exit_code == ExitCode.SOME_FAILED


def test_an_interruption_reaches_the_pipeline() -> None:
    """Whatever interrupts the showing ends the pipeline in order, and what that has to say is a note of the error."""
    closed: list[BaseException] = []

    def events() -> Generator[Event]:
        try:
            yield from EVENTS
        except BaseException as error:
            closed.append(error)
            error.add_note("the open segment is lost")
            raise

    def interrupted(_: Event) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        tally(events(), interrupted)
    assert closed == [caught.value]
    assert caught.value.__notes__ == ["the open segment is lost"]


def test_an_error_of_the_pipeline_is_raised_once() -> None:
    """It comes out as it is."""

    def events() -> Generator[Event]:
        yield EVENTS[0]
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        tally(events())
