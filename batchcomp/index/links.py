"""Which version of a path follows which, and the sums of a segment's current pictures, kept right with every change."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from batchcomp.index.columns import DAMAGED, FROM, ROW, row_from
from batchcomp.index.schema import BrokenIndexError, ids_of, is_loading
from batchcomp.report.rows import LEAST_SIDE, report_row
from batchcomp.report.tally import Tally

_NEXT: Final = "(SELECT min(n.id) FROM picture AS n WHERE n.path = picture.path AND n.id > picture.id)"
_BEFORE: Final = (  # the last version before a segment of each path that it holds, and whether it is current
    "INSERT INTO before SELECT id, next IS NULL FROM picture WHERE id IN"
    " (SELECT (SELECT max(o.id) FROM picture AS o WHERE o.path = n.path AND o.id < :first)"
    " FROM picture AS n WHERE n.id BETWEEN :first AND :last)"
)
_SUMS: Final = "SELECT tally, worst_id, worst_large_id FROM segment WHERE number = ?"
_WORST: Final = (
    f"SELECT ms_ssim, id FROM picture WHERE id BETWEEN :first AND :last AND next IS NULL AND manner != {DAMAGED}"
    " AND ms_ssim NOT NULL AND {which} ORDER BY ms_ssim, id LIMIT 1"
)
_FIND_WORST: Final = (
    f"UPDATE segment SET (worst, worst_id) = ({_WORST.format(which=1)}), (worst_large, worst_large_id) = "
    f"({_WORST.format(which=f'min(width, height) >= {LEAST_SIDE}')}) WHERE number = :number"
)
Ids = tuple[int, int]  # the first and the last of a segment


def link(database: sqlite3.Connection, ids: Ids) -> set[int]:
    """Link the new pictures of a segment with other versions of theirs; return those that are superseded already."""
    _keep_before(database, ids)
    database.execute(f"UPDATE picture SET next = {_NEXT} WHERE id BETWEEN ? AND ?", ids)
    database.execute(f"UPDATE picture SET next = {_NEXT} WHERE id IN (SELECT id FROM before)")
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
    database.execute(f"UPDATE picture SET next = {_NEXT} WHERE id IN (SELECT id FROM before)")
    change_sums(database, _rows(database, "p.id IN (SELECT id FROM before) AND p.next IS NULL"), sign=1)


def link_all(database: sqlite3.Connection) -> None:
    """Link all versions, and take out of the sums what is superseded: once, after the first load."""
    several = "SELECT path FROM picture GROUP BY path HAVING count(*) > 1"
    database.execute(f"UPDATE picture SET next = {_NEXT} WHERE path IN ({several})")
    change_sums(database, _rows(database, "p.next NOT NULL"), sign=-1)


def change_sums(database: sqlite3.Connection, records: Iterable[tuple[Any, ...]], *, sign: int) -> None:
    """Count pictures in their segments' sums, or take them out."""
    sums: dict[int, Tally] = {}
    worst: dict[int, tuple[int | None, ...]] = {}
    for record in records:
        row = row_from(record)
        if row.segment not in sums:
            found = database.execute(_SUMS, (row.segment,)).fetchone()
            sums[row.segment], worst[row.segment] = tally_from(found[0]), found[1:]
        if sign > 0:
            sums[row.segment].add(report_row(row))
        else:
            sums[row.segment].remove(report_row(row))
        if sign > 0 or record[0] in worst[row.segment]:
            worst[row.segment] = ()  # another one may be the worst
    texts = [(json.dumps(tally.values), number) for number, tally in sums.items()]
    database.executemany("UPDATE segment SET tally = ? WHERE number = ?", texts)
    for number, known in worst.items():
        if not known:
            find_worst(database, number)


def find_worst(database: sqlite3.Connection, number: int) -> None:
    """Find the pictures of the lowest MS-SSIM among the current ones of a segment."""
    first, last = ids_of(number)
    database.execute(_FIND_WORST, {"first": first, "last": last, "number": number})


def _keep_before(database: sqlite3.Connection, ids: Ids) -> None:
    database.execute("CREATE TEMP TABLE IF NOT EXISTS before (id INTEGER PRIMARY KEY, current)")
    database.execute("DELETE FROM before")
    database.execute(_BEFORE, {"first": ids[0], "last": ids[1]})


def _rows(database: sqlite3.Connection, which: str) -> Iterator[tuple[Any, ...]]:
    return database.execute(f"SELECT {ROW} FROM {FROM} WHERE {which} ORDER BY p.id")


def tally_from(text: str) -> Tally:
    """Return the sums that a segment's row holds.

    Raises:
        BrokenIndexError: it does not.
    """
    try:
        return Tally(json.loads(text))
    except (TypeError, ValueError) as error:
        raise BrokenIndexError(f"the index holds no sums: {error}") from error
