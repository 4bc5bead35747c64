"""Find the quality at which something that rises with it, bytes or similarity, meets a target in few evaluations.

Qualities are whole hundredths, 100..10,000. The search keeps a bracket and follows a straight line through its ends,
or, while one end is open, through what is known and a usual slope; every third step halves the bracket instead, so that
a curve with jumps cannot hold it up (Ridders and Illinois do better on smooth curves, but these have jumps).
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Final

LOWEST, HIGHEST = 100, 10_000  # hundredths of a quality
MAX_TRIALS: Final = 12
Search = Generator[int, float, None]


@dataclass(frozen=True, kw_only=True)
class Goal:
    """Values from `limit - slack` to `limit` are a hit if `below`, else those from `limit` to `limit + slack`.

    `slope` is how much the value usually rises over one quality.
    """

    limit: float
    slack: float
    slope: float
    below: bool

    def allows(self, value: float) -> bool:
        """Whether a value is on the right side of the limit."""
        return value <= self.limit if self.below else value >= self.limit

    def is_hit(self, value: float) -> bool:
        """Whether it is also close enough."""
        return self.allows(value) and abs(value - self.limit) <= self.slack

    @property
    def aim(self) -> float:
        """The value to head for: inside the slack, nearer to the limit."""
        return self.limit + (-self.slack if self.below else self.slack) / 3


@dataclass
class Bracket:
    """What is known: the highest quality whose value is under the aim, and the lowest whose value is not."""

    under: tuple[int, float] | None = None
    over: tuple[int, float] | None = None
    done: set[int] = field(default_factory=set)

    def note(self, at: int, value: float, aim: float) -> None:
        """Take in a trial; where the curve falls somewhere, the later trial counts."""
        self.done.add(at)
        if value < aim:
            self.under = (at, value)
        else:
            self.over = (at, value)

    @property
    def ends(self) -> tuple[int, int]:
        """Qualities between which the answer lies, both excluded."""
        low = self.under[0] if self.under else LOWEST - 1
        high = self.over[0] if self.over else HIGHEST + 1
        return min(low, high), max(low, high)


def search(goal: Goal, start: int) -> Search:
    """Yield qualities to try; send the value of each. Ends at a hit, or when nothing is left to try.

    The caller keeps the best trial that `goal` allows. The lowest quality has been tried where none below the limit was
    found, the highest where none above it was.
    """
    bracket, at = Bracket(), start
    for trial in range(MAX_TRIALS):
        value = yield at
        bracket.note(at, value, goal.aim)
        if goal.is_hit(value):
            return
        low, high = bracket.ends
        if high - low <= 1:
            return
        guess = (low + high) // 2 if trial % 3 == 2 and bracket.under and bracket.over else _straight(bracket, goal)
        at = min(high - 1, max(low + 1, guess))
        if at in bracket.done:
            return


def _straight(bracket: Bracket, goal: Goal) -> int:
    """Where a straight line meets the aim."""
    if bracket.under and bracket.over and bracket.over[1] > bracket.under[1]:
        share = (goal.aim - bracket.under[1]) / (bracket.over[1] - bracket.under[1])
        return round(bracket.under[0] + share * (bracket.over[0] - bracket.under[0]))
    at, value = bracket.under or bracket.over or (LOWEST, goal.aim)
    return round(at + 100 * (goal.aim - value) / goal.slope)
