"""How far work is that is no run over pictures: two lines on a terminal, a JSON line a second at most."""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from batchcomp.amount import BYTES, PIXELS, Amount
from batchcomp.cli import console, progress, session
from batchcomp.cli.progress import SPAN, bar, clock, drawn
from batchcomp.report.text import human, printable, shortened


class Gauge:
    """What of an `Amount` is done, and by when it will be; `now` is a clock in seconds."""

    kind, counts = "amount", True

    def __init__(self, title: str, amount: Amount, now: Callable[[], float] = time.monotonic) -> None:
        self._title, self._amount, self._now = title, amount, now
        self._began = self._told = now()
        self._samples: deque[tuple[float, int]] = deque([(self._began, 0)])
        self._stretch = amount.stretch

    def take(self, event: Any = None) -> None:
        """Take notice of where the amount is now."""
        del event
        now = self._now()
        if self._stretch != self._amount.stretch:
            self._stretch = self._amount.stretch
            self._samples = deque([(now, self._amount.done)])
        self._samples.append((now, self._amount.done))
        while len(self._samples) > 2 and now - self._samples[1][0] > SPAN:
            self._samples.popleft()

    @property
    def speed(self) -> float | None:
        """Units a second over the last minute; None before there were any."""
        (before, some), (now, more) = self._samples[0], self._samples[-1]
        return (more - some) / (now - before) if now > before and more > some else None

    @property
    def seconds_left(self) -> float | None:
        """How long this stretch will take; None where that cannot be told."""
        if not self._amount.total or self.speed is None:
            return None
        waited = self._now() - self._samples[-1][0]
        return max(0.0, (self._amount.total - self._amount.done) / self.speed - waited)

    def fields(self) -> dict[str, Any]:
        """As a JSON line has it."""
        left, speed = self.seconds_left, self.speed
        return {
            "unit": self._amount.unit,
            "amount": self._amount.done,
            "of_amount": self._amount.total or None,
            "amount_per_second": None if speed is None else round(speed, 3),
            "seconds_left": None if left is None else round(left),
            "name": printable(self._amount.name) or None,
        }

    def due(self) -> bool:
        """Tell whether a JSON line is due, and if so, that it is told now."""
        now = self._now()
        if now - self._told < progress.EVERY:
            return False
        self._told = now
        return True

    def lines(self, width: int) -> list[str]:
        """The two lines of a terminal of so many columns."""
        amount, left = self._amount, self.seconds_left
        ends = f"{clock(left)} left" if left is not None else clock(self._now() - self._began)
        first = [self._title, *([bar(amount.done / amount.total)] if amount.total else []), ends]
        second = [_of(amount)] if amount.total or amount.done else []
        if self.speed and amount.unit in {BYTES, PIXELS}:
            second.append(f"{_quantity(self.speed, amount.unit)}/s")
        if name := printable(amount.name):
            second.append(shortened(name, max(12, width - len("  ".join(second)) - 4)))
        return ["  ".join(first)[:width], "  ".join(second)[:width]]

    def __rich__(self) -> Any:
        """As rich draws it."""
        from rich.text import Text

        first, second = self.lines(console.err().width - 1)
        return Text(first, style="bold").append(f"\n{second}" if second else "", style="not bold dim")


def _of(amount: Amount) -> str:
    if amount.unit in {BYTES, PIXELS}:
        total = f" of {_quantity(amount.total, amount.unit)}" if amount.total else ""
        return f"{_quantity(amount.done, amount.unit)}{total}"
    return f"{amount.done:,}{f' of {amount.total:,}' if amount.total else ''} {amount.unit}"


def _quantity(value: float, unit: str) -> str:
    return human(value) if unit == BYTES else f"{value / 1e6:.1f} MP"


@contextmanager
def showing(title: str, *, as_json: bool = False) -> Iterator[Amount]:
    """Show how far the amount given is, for as long as the block runs."""
    amount, terminal, now = Amount(), console.err(), session.current()
    gauge = Gauge(title, amount)
    amount.listener = listener_of(gauge, as_json=as_json)
    visible = terminal.is_terminal and not now.quiet and not (as_json and sys.stdout.isatty())
    with drawn(gauge, visible=visible):
        yield amount


def listener_of(gauge: Gauge, *, as_json: bool) -> Callable[[], None]:
    """Return what an amount tells of each change: to the gauge, and once a second to the JSON lines."""

    def listen() -> None:
        gauge.take()
        if as_json and gauge.due():
            console.json_line("amount", **gauge.fields())

    return listen
