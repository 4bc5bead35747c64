"""Which versions of a picture stay: rules of so many last, daily, weekly, monthly and yearly ones, as restic has them.

A version's time is that of its segment. Of each rule's periods (in UTC) the last version stays, for so many periods
that have any, the latest first. A version that any rule keeps is kept; the newest one always is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Final

from batchcomp.errors import UsageError

_PERIODS: Final[dict[str, Callable[[datetime], str]]] = {
    "daily": lambda when: f"{when:%Y-%m-%d}",
    "weekly": lambda when: "{}-W{:02d}".format(*when.isocalendar()),
    "monthly": lambda when: f"{when:%Y-%m}",
    "yearly": lambda when: f"{when:%Y}",
}


@dataclass(frozen=True, kw_only=True)
class Keep:
    """How many versions, or periods with a version, each rule keeps; 0: the rule is not asked for.

    Raises:
        UsageError: a number is negative, or all are 0.
    """

    last: int = 0
    daily: int = 0
    weekly: int = 0
    monthly: int = 0
    yearly: int = 0

    def __post_init__(self) -> None:
        numbers = {field.name: getattr(self, field.name) for field in fields(self)}
        for name, number in numbers.items():
            if number < 0:
                raise UsageError(f"keep {name} {number}: expected 1 or more")
        if not any(numbers.values()):
            raise UsageError("keep last 0: expected 1 or more; the newest version is always kept")

    def reasons(self, times: Sequence[datetime]) -> dict[int, str]:
        """Return for each version that stays which rules keep it. `times` are in the order of the archive."""
        newest_first = range(len(times) - 1, -1, -1)
        found: dict[int, list[str]] = {
            index: [f"last {rank}"] for rank, index in enumerate(newest_first[: self.last], 1)
        }
        for rule, period in _PERIODS.items():
            seen: set[str] = set()
            for index in newest_first:
                name = period(times[index])
                if name not in seen and len(seen) < getattr(self, rule):
                    seen.add(name)
                    found.setdefault(index, []).append(f"{rule} {name}")
        return {index: ", ".join(found[index]) for index in sorted(found)}
