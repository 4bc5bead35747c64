"""A segment's row in the index: the sums of its current pictures and the worst of them, sealed like all rows."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from batchcomp.index.columns import DAMAGED, row_from
from batchcomp.index.schema import BrokenIndexError, ids_of, seal_of
from batchcomp.report.rows import LEAST_SIDE, ReportRow, report_row
from batchcomp.report.tally import Tally


class SegmentSums(NamedTuple):
    """What the index knows of a segment.

    Attributes:
        number: of the segment.
        identity: of its file; "" where it is looked at every time.
        size: of its file, in bytes.
        created: seconds since 1970 UTC, None where it does not say.
        pictures: rows, superseded ones too.
        tally: the sums of its current pictures, see `tally_from`.
        worst: the lowest MS-SSIM of a current picture, None where none was measured.
        worst_id: of that picture.
        worst_large: the same of pictures that are not tiny.
        worst_large_id: of that one.
    """

    number: int
    identity: str
    size: int
    created: int | None
    pictures: int
    tally: str
    worst: float | None = None
    worst_id: int | None = None
    worst_large: float | None = None
    worst_large_id: int | None = None


_COLUMNS: Final = ", ".join(SegmentSums._fields)
SUMS: Final = f"SELECT {_COLUMNS}, seal FROM segment"
_PUT: Final = f"INSERT INTO segment ({_COLUMNS}) VALUES ({', '.join('?' * len(SegmentSums._fields))})"
_WORST: Final = (
    f"SELECT ms_ssim, id FROM picture WHERE id BETWEEN :first AND :last AND next IS NULL AND manner != {DAMAGED}"
    " AND ms_ssim NOT NULL AND {which} ORDER BY ms_ssim, id LIMIT 1"
)
_FIND_WORST: Final = (
    f"UPDATE segment SET (worst, worst_id) = ({_WORST.format(which=1)}), (worst_large, worst_large_id) = "
    f"({_WORST.format(which=f'min(width, height) >= {LEAST_SIDE}')}) WHERE number = :number"
)


def sums_from(record: Sequence[Any]) -> SegmentSums:
    """Return what a record of `SUMS` says.

    Raises:
        BrokenIndexError: it is not what was put there.
    """
    if seal_of(record[:-1]) != record[-1]:
        raise BrokenIndexError(f"segment {record[0]} of the index is not what was put there")
    return SegmentSums._make(record[:-1])


def tally_from(text: str) -> Tally:
    """Return the sums that a segment's row holds.

    Raises:
        BrokenIndexError: it does not.
    """
    try:
        return Tally(json.loads(text))
    except (TypeError, ValueError) as error:
        raise BrokenIndexError(f"the index holds no sums: {error}") from error


def put_sums(database: sqlite3.Connection, sums: SegmentSums, current: Iterable[ReportRow]) -> None:
    """Note a segment whose pictures stand in the index, these of them current."""
    database.execute(_PUT, sums._replace(tally=_text(Tally.of(current))))
    _find_worst(database, sums.number)
    _seal(database, sums.number)


def change_sums(database: sqlite3.Connection, records: Iterable[tuple[Any, ...]], *, sign: int) -> None:
    """Count pictures in their segments' sums, or take them out."""
    known: dict[int, SegmentSums] = {}
    tallies: dict[int, Tally] = {}
    stale: set[int] = set()  # another picture may be the worst
    for record in records:
        row = row_from(record)
        if row.segment not in known:
            known[row.segment] = sums = _sums(database, row.segment)
            tallies[row.segment] = tally_from(sums.tally)
        if sign > 0:
            tallies[row.segment].add(report_row(row))
        else:
            tallies[row.segment].remove(report_row(row))
        sums = known[row.segment]
        if sign > 0 or record[0] in {sums.worst_id, sums.worst_large_id}:
            stale.add(row.segment)
    for number, tally in tallies.items():
        database.execute("UPDATE segment SET tally = ? WHERE number = ?", (_text(tally), number))
        if number in stale:
            _find_worst(database, number)
        _seal(database, number)


def _sums(database: sqlite3.Connection, number: int) -> SegmentSums:
    record = database.execute(f"{SUMS} WHERE number = ?", (number,)).fetchone()
    if record is None:
        raise BrokenIndexError(f"the index has pictures of segment {number}, which it does not have")
    return sums_from(record)


def _text(tally: Tally) -> str:
    return json.dumps(tally.values)


def _find_worst(database: sqlite3.Connection, number: int) -> None:
    """Find the pictures of the lowest MS-SSIM among the current ones of a segment."""
    first, last = ids_of(number)
    database.execute(_FIND_WORST, {"first": first, "last": last, "number": number})


def _seal(database: sqlite3.Connection, number: int) -> None:
    record = database.execute(f"{SUMS} WHERE number = ?", (number,)).fetchone()
    database.execute("UPDATE segment SET seal = ? WHERE number = ?", (seal_of(record[:-1]), number))
