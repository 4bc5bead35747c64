"""How much of a piece of work is done, where that is no matter of pictures alone: bytes, segments, steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

BYTES, PIXELS = "bytes", "pixels"


@dataclass(kw_only=True)
class Amount:
    """One stretch of work after the other, each with a total of its own.

    Attributes:
        unit: what is counted: `BYTES`, `PIXELS`, or the word for it in the plural.
        total: of this stretch; 0: unknown.
        done: of it.
        name: what is in hand, "" where that is nothing.
        stretch: how many stretches have begun.
        listener: is called after each change.
    """

    unit: str = BYTES
    total: int = 0
    done: int = 0
    name: str = ""
    stretch: int = 0
    listener: Callable[[], None] = lambda: None

    def begin(self, unit: str, total: int) -> None:
        """Begin another stretch."""
        self.unit, self.total, self.done, self.name = unit, total, 0, ""
        self.stretch += 1
        self.listener()

    def set(self, done: int, total: int, unit: str) -> None:
        """Note how much is done of a total, for work that tells both each time."""
        if (unit, total) != (self.unit, self.total) or done < self.done:
            self.begin(unit, total)
        self.reach(done)

    def advance(self, by: int, name: str = "") -> None:
        """Note that so much more is done; `name` is what comes next, or was just done."""
        self.reach(self.done + by, name)

    def reach(self, done: int, name: str = "") -> None:
        """Note how much is done in all."""
        self.done, self.name = done, name
        self.listener()
