"""Which pictures a query is after, as SQL over `picture AS p` and `manner AS m`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any, Final

from batchcomp.index.columns import select
from batchcomp.index.families import LONGEST, family_of, stem_of
from batchcomp.report.rows import LEAST_SIDE


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
        """What fits both."""
        return self._with("AND", other)

    def __or__(self, other: Condition) -> Condition:
        """What fits one of them, or both."""
        return self._with("OR", other)

    def __invert__(self) -> Condition:
        """What does not fit."""
        return Condition(sql=f"NOT ({self.sql})", values=self.values, test=self.test)

    def _with(self, word: str, other: Condition) -> Condition:
        if self.test and other.test:
            raise ValueError("one query has one test of paths")
        both = f"({self.sql}) {word} ({other.sql})"
        return Condition(sql=both, values=self.values + other.values, test=self.test or other.test)


MANY: Final = 500  # values in one statement
EVERYTHING: Final = Condition(sql="1")
NOTHING: Final = Condition(sql="0")
FOLDER: Final = "rtrim(p.path, replace(p.path, '/', ''))"  # all that is before the last slash of a path, and that
CURRENT: Final = Condition(sql="p.next IS NULL")

MEASURED: Final = Condition(sql="p.ms_ssim NOT NULL")
LARGE: Final = Condition(sql=f"min(p.width, p.height) >= {LEAST_SIDE}")  # for MS-SSIM to say much


def first_of(condition: Condition, order: str, most: int) -> Condition:
    """Return the first few of what fits a condition, in an order of ours."""
    inner = select("p.id", condition.sql)
    return Condition(
        sql=f"p.id IN ({inner} ORDER BY {order} LIMIT ?)", values=(*condition.values, most), test=condition.test
    )


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
    """Return the picture of this path, and those in a folder of this name.

    Folders are taken for small: else SQLite looks through all pictures for three of them.
    """
    inside = "likelihood(p.path > ?, 0.01) AND likelihood(p.path < ?, 0.01)"
    return Condition(sql=f"p.path = ? OR ({inside})", values=(name, f"{name}/", f"{name}0"))


def begins_with(text: str) -> Condition:
    """Return the pictures whose path begins with a text."""
    return Condition(sql="p.path >= ? AND p.path < ?", values=(text, f"{text}\U0010ffff"))


def any_of(several: Iterable[Condition]) -> Condition:
    """Return what fits one condition at least."""
    every = list(several)
    return reduce(or_, every) if every else NOTHING  # with NOTHING among others SQLite uses no index


def one_of(column: str, values: Sequence[Any]) -> Iterator[Condition]:
    """Yield conditions, each for some of the values, since a statement has room for so many: the column has one."""
    for at in range(0, len(values), MANY):
        some = tuple(values[at : at + MANY])
        yield Condition(sql=f"{column} IN ({', '.join('?' * len(some))})", values=some)


def matching(test: Callable[[str], bool]) -> Condition:
    """Return the pictures of whose path a function says so."""
    return Condition(sql="chosen(p.path)", test=test)


def relatives_of(path: str, folders: Iterable[str]) -> Iterator[Condition]:
    """Yield conditions for the family of a path; `folders` are all that are the same as its own, and that one.

    Each is for some of it, so that SQLite finds it by an index.
    """
    yield Condition(sql="p.family = ?", values=(family_of(path),))
    stem = stem_of(path.rpartition("/")[2])
    if stem.isascii() and len(stem) < LONGEST:
        for folder in folders:
            within = f"{folder}/" if folder else ""
            for name in sorted({f"{within}{stem}", f"{within}{stem.upper()}"}):
                yield _plain(name, within)


def _plain(name: str, within: str) -> Condition:
    """Return the pictures whose path is `name`, or begins with it and a dot or tilde, those just in a folder."""
    some = f"SELECT p.id FROM picture AS p WHERE p.path >= ? AND p.path < ? AND {FOLDER} = ?"
    values = (name, f"{name}.", f"{name}/", within, f"{name}~", f"{name}\x7f", within)
    return Condition(
        sql=f"p.id IN (SELECT p.id FROM picture AS p WHERE p.path = ? UNION ALL {some} UNION ALL {some})",
        values=values,
    )
