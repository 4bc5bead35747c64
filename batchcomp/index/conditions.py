"""Which pictures a query is after, as SQL over `picture AS p` and `manner AS m`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True, kw_only=True)
class Condition:
    """A part of a query.

    Attributes:
        sql: an expression of ours, never of a user's.
        values: what its question marks stand for.
        test: what `chosen(path)` in it calls; one at most.
    """

    sql: str
    values: tuple[Any, ...] = ()
    test: Callable[[str], bool] | None = None

    def __and__(self, other: Condition) -> Condition:
        """Both.

        Raises:
            ValueError: both have a test.
        """
        if self.test and other.test:
            raise ValueError("one query has one test of paths")
        return Condition(
            sql=f"({self.sql}) AND ({other.sql})", values=self.values + other.values, test=self.test or other.test
        )


EVERYTHING: Final = Condition(sql="1")
CURRENT: Final = Condition(sql="p.next IS NULL")


def version_number(number: int) -> Condition:
    """Return the versions with this number: 1 is the oldest of a path, -1 the newest."""
    side = "<=" if number > 0 else ">="
    return Condition(
        sql=f"(SELECT count(*) FROM picture AS v WHERE v.path = p.path AND v.id {side} p.id) = ?",
        values=(abs(number),),
    )


def up_to(last: int) -> Condition:
    """Return what was current while `last` was the greatest id."""
    return Condition(sql="p.id <= ? AND (p.next IS NULL OR p.next > ?)", values=(last, last))


def below(name: str) -> Condition:
    """Return the picture of this path, and those in a folder of this name."""
    return Condition(sql="p.path = ? OR (p.path > ? AND p.path < ?)", values=(name, f"{name}/", f"{name}0"))


def any_of(conditions: list[Condition]) -> Condition:
    """Return what fits one condition at least; none of them has a test."""
    return Condition(
        sql=" OR ".join(f"({one.sql})" for one in conditions) or "0",
        values=tuple(value for one in conditions for value in one.values),
    )


def matching(test: Callable[[str], bool]) -> Condition:
    """Return the pictures of whose path a function says so."""
    return Condition(sql="chosen(p.path)", test=test)
