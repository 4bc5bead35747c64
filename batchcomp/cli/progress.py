"""How far a run is: two lines on a terminal, a JSON line a second at most for programs."""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from batchcomp.cli import console, session
from batchcomp.errors import OutputError
from batchcomp.report.text import human, printable, shortened

if TYPE_CHECKING:
    from batchcomp.pipeline.forecast import Forecast
    from batchcomp.pipeline.records import Outcome

EVERY = 1.0  # seconds between JSON lines
SPAN = 60.0  # seconds over which the speed is taken
_BAR = 24  # columns


class Shown(Protocol):
    """What `watch` draws and tells: a `Progress` or a `cli.gauge.Gauge`."""

    kind: str  # of its JSON lines

    @property
    def counts(self) -> bool:
        """Whether there is something to tell in JSON."""

    def take(self, event: Any) -> None:
        """Note an event that was counted."""

    def due(self) -> bool:
        """Tell whether a JSON line is due."""

    def fields(self) -> dict[str, Any]:
        """As a JSON line has it."""


class Progress:
    """What a run has done, and by when it will be done; `now` is a clock in seconds."""

    kind = "progress"

    def __init__(
        self,
        title: str,
        outcome: Outcome,
        forecast: Forecast | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._title, self._outcome, self._forecast, self._now = title, outcome, forecast, now
        self._began = self._told = now()
        self._samples: deque[tuple[float, int]] = deque([(self._began, 0)])

    def take(self, event: Any) -> None:
        """Note an event that was counted."""
        if self._forecast is None:
            return
        for one in getattr(event, "events", (event,)):  # of a bundle
            row = getattr(one, "row", None)
            name = row.path if row is not None else getattr(one, "name", None)
            if name is not None:
                self._forecast.take(name)
        now = self._now()
        self._samples.append((now, self._forecast.pixels_done))
        while len(self._samples) > 2 and now - self._samples[1][0] > SPAN:
            self._samples.popleft()

    @property
    def counts(self) -> bool:
        """Whether there is something to tell in JSON."""
        return self._forecast is not None

    @property
    def files(self) -> int:
        """Files that are done."""
        return sum(self._outcome.counts[name] for name in console.FATES)

    @property
    def speed(self) -> float | None:
        """Pixels a second over the last minute; None before there were any."""
        (before, some), (now, more) = self._samples[0], self._samples[-1]
        return (more - some) / (now - before) if now > before and more > some else None

    @property
    def seconds_left(self) -> float | None:
        """How long it will take; None where that cannot be told."""
        if self._forecast is None or not self._forecast.complete or self.speed is None:
            return None
        waited = self._now() - self._samples[-1][0]
        return max(0.0, (self._forecast.pixels - self._forecast.pixels_done) / self.speed - waited)

    def fields(self) -> dict[str, Any]:
        """As a JSON line has it."""
        known, left, speed = self._forecast, self.seconds_left, self.speed
        total = known.files if known and known.complete else None
        return {
            "files": self.files,
            "of_files": total,
            "pixels": known.pixels_done if known else None,
            "of_pixels": known.pixels if known and known.complete else None,
            "pixels_per_second": None if speed is None else round(speed),
            "source_bytes": self._outcome.source_bytes,
            "payload_bytes": self._outcome.payload_bytes,
            "failed": self._outcome.counts["failed"],
            "seconds_left": None if left is None else round(left),
            "name": printable(known.in_hand) or None if known else None,
        }

    def due(self) -> bool:
        """Tell whether a JSON line is due, and if so, that it is told now."""
        now = self._now()
        if now - self._told < EVERY:
            return False
        self._told = now
        return True

    def lines(self, width: int) -> list[str]:
        """The two lines of a terminal of so many columns."""
        known = self._forecast
        total = f" of {known.files:,}{'' if known.complete else '+'}" if known and known.files else ""
        left = self.seconds_left
        ends = f"{clock(left)} left" if left is not None else clock(self._now() - self._began)
        share = known.pixels_done / known.pixels if known and known.complete and known.pixels else None
        first = [self._title, *([] if share is None else [bar(share)])]
        first += [
            f"{self.files:,}{total} file{'' if (known.files if total and known else self.files) == 1 else 's'}",
            ends,
        ]
        second = [f"{self.speed / 1e6:.1f} MP/s"] if self.speed else []
        if self._outcome.source_bytes:
            second.append(f"{human(self._outcome.source_bytes)} -> {human(self._outcome.payload_bytes)}")
        if failed := self._outcome.counts["failed"]:
            second.append(f"{failed:,} failed")
        if known and (name := printable(known.in_hand)):
            second.append(shortened(name, max(12, width - len("  ".join(second)) - 4)))
        return ["  ".join(first)[:width], "  ".join(second)[:width]]

    def __rich__(self) -> Any:
        """As rich draws it."""
        from rich.text import Text

        first, second = self.lines(console.err().width - 1)
        return Text(first, style="bold").append(f"\n{second}" if second else "", style="not bold dim")


def bar(share: float) -> str:
    """A bar of which so much of 1 is done."""
    done = round(_BAR * min(1.0, share))
    return "\N{BOX DRAWINGS HEAVY HORIZONTAL}" * done + "\N{BOX DRAWINGS LIGHT HORIZONTAL}" * (_BAR - done)


def clock(seconds: float) -> str:
    """Seconds as people read them: 0:07, 12:30, 3:05:00."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


@contextmanager
def drawn(what: Any, *, visible: bool) -> Iterator[None]:
    """Draw progress on the terminal for as long as the block runs, if it is to be seen."""
    if not visible:
        yield
        return
    from rich.live import Live

    now = session.current()
    # rich would send what is printed on stdout to the live display's console: results must stay results
    live = Live(what, console=console.err(), transient=True, redirect_stdout=False, refresh_per_second=4)
    live.start(refresh=True)
    now.live = True
    try:
        yield
    finally:
        now.live = False
        live.stop()


def watch(
    title: str,
    events: Generator[Any],
    *,
    as_json: bool = False,
    show: Callable[[Any], None] | None = None,
    must_finish: bool = True,
    forecast: Forecast | None = None,
    shown: Shown | None = None,
) -> Outcome:
    """Run a pipeline and show its events as they come: on a terminal with its progress. Returns what it came to.

    No reader of the output decides what is archived or restored: where it cannot be written to, the pipeline goes on
    to its end all the same, and only then is the error raised; at once where it need not finish.

    Args:
        title: of the progress.
        events: the pipeline.
        as_json: write a JSON line for every event, and one of the progress a second at most.
        show: says what is to be said of an event, by default `console.show_event`.
        must_finish: the pipeline writes something.
        forecast: what the pipeline has before it.
        shown: what is drawn in place of a `Progress`.

    Raises:
        OutputError, BrokenPipeError: standard output could not be written to.
    """
    from batchcomp.pipeline.records import Outcome, tally

    now, terminal, outcome = session.current(), console.err(), Outcome()
    now.outcome = outcome
    refused: list[OutputError | BrokenPipeError] = []
    progress: Any = shown or Progress(title, outcome, forecast)
    say = show or partial(console.show_event, as_json=as_json)
    visible = terminal.is_terminal and not now.quiet and not (as_json and sys.stdout.isatty())

    def on_event(event: Any) -> None:
        progress.take(event)
        if refused:
            return
        try:
            say(event)
            if as_json and progress.counts and progress.due():
                console.json_line(progress.kind, **progress.fields())
        except (OutputError, BrokenPipeError) as error:
            if not must_finish:
                raise
            refused.append(error)

    with drawn(progress, visible=visible):
        tally(events, on_event, outcome)
    if refused:
        raise refused[0]
    return outcome
