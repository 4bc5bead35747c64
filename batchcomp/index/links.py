"""Which version of a path follows which, kept right with every change, and with it the sums."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from batchcomp.index.columns import ROW, select
from batchcomp.index.schema import is_loading
from batchcomp.index.sums import change_sums

_NEXT: Final = "(SELECT min(n.id) FROM picture AS n WHERE n.path = picture.path AND n.id > picture.id)"
_LINK: Final = f"UPDATE picture SET seal = seal - coalesce(next, 0) + coalesce({_NEXT}, 0), next = {_NEXT}"
_BEFORE: Final = (  # the last version before a segment of each path that it holds, and whether it is current
    "INSERT INTO before SELECT id, next IS NULL FROM picture WHERE id IN"
    " (SELECT (SELECT max(o.id) FROM picture AS o WHERE o.path = n.path AND o.id < :first)"
    " FROM picture AS n WHERE n.id BETWEEN :first AND :last)"
)
COUNT_WRONG: Final = f"SELECT count(*) FROM picture WHERE next NOT NULL AND next IS NOT {_NEXT}"
Ids = tuple[int, int]  # the first and the last of a segment


def link(database: sqlite3.Connection, ids: Ids, *, repeats: bool) -> set[int]:
    """Link the new pictures of a segment with other versions of theirs; return those that are superseded already.

    `repeats` says whether the segment itself has several versions of a path. Where it has none, and no segment comes
    after it, as nearly always, nothing is superseded and nothing has to be looked up for that.
    """
    _keep_before(database, ids)
    later = database.execute("SELECT 1 FROM picture WHERE id > ? LIMIT 1", ids[1:]).fetchone()
    if repeats or later:
        database.execute(f"{_LINK} WHERE id BETWEEN ? AND ? AND {_NEXT} NOT NULL", ids)
    database.execute(f"{_LINK} WHERE id IN (SELECT id FROM before)")
    change_sums(database, _rows(database, "p.id IN (SELECT id FROM before WHERE current)"), sign=-1)
    found = database.execute("SELECT id FROM picture WHERE id BETWEEN ? AND ? AND next NOT NULL", ids)
    return {number for (number,) in found}


@contextmanager
def without(database: sqlite3.Connection, ids: Ids) -> Iterator[None]:
    """Link the versions around a segment's pictures, which the block deletes."""
    if is_loading(database):
        yield
        return
    _keep_before(database, ids)
    yield
    database.execute(f"{_LINK} WHERE id IN (SELECT id FROM before)")
    change_sums(database, _rows(database, "p.id IN (SELECT id FROM before) AND p.next IS NULL"), sign=1)


def link_all(database: sqlite3.Connection) -> None:
    """Link all versions, and take out of the sums what is superseded: once, after the first load."""
    several = "SELECT path FROM picture GROUP BY path HAVING count(*) > 1"
    database.execute(f"{_LINK} WHERE path IN ({several}) AND {_NEXT} NOT NULL")
    change_sums(database, _rows(database, "p.next NOT NULL"), sign=-1)


def _keep_before(database: sqlite3.Connection, ids: Ids) -> None:
    database.execute("CREATE TEMP TABLE IF NOT EXISTS before (id INTEGER PRIMARY KEY, current)")
    database.execute("DELETE FROM before")
    database.execute(_BEFORE, {"first": ids[0], "last": ids[1]})


def _rows(database: sqlite3.Connection, which: str) -> Iterator[tuple[Any, ...]]:
    return database.execute(f"{select(ROW, which)} ORDER BY p.id")
