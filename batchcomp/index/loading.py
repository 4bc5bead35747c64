"""Takes segments into an index and out of it: one transaction each, in which links and sums are kept right."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from batchcomp.archive import Damage, Row
from batchcomp.index import links
from batchcomp.index.columns import INSERT, MANNER, columns_of, damaged_columns, manner_from, manner_of
from batchcomp.index.families import family_of
from batchcomp.index.schema import INDEXES, ids_of, is_loading, seal_of
from batchcomp.index.sums import SegmentSums, put_sums
from batchcomp.report.rows import report_row

_ROOM_FOR: Final = 64  # rows: a page of an index has some 100


@dataclass(frozen=True, kw_only=True)
class Taken:
    """What one segment holds.

    Attributes:
        number: of the segment.
        identity: of its file; "" where it is to be looked at again the next time.
        size: of its file, in bytes.
        created: seconds since 1970 UTC; None where it does not say, or is damaged as a whole.
        rows: by the place of their line among those of pictures; the path alone where a row breaks the rules.
        damage: what is wrong, and with which of these places; None: with the segment or an entry.
    """

    number: int
    identity: str
    size: int
    created: int | None = None
    rows: dict[int, Row | str] = field(default_factory=dict)
    damage: tuple[tuple[int | None, Damage], ...] = ()


@contextmanager
def transaction(database: sqlite3.Connection) -> Iterator[None]:
    """Do all of the block, or nothing of it."""
    database.execute("BEGIN IMMEDIATE")
    try:
        yield
        database.execute("COMMIT")
    except BaseException:
        if database.in_transaction:
            database.execute("ROLLBACK")
        raise


def take_in(database: sqlite3.Connection, taken: Taken) -> None:
    """Put a segment into the index, in the place of what it held of that number."""
    with transaction(database):
        _drop(database, taken.number)
        _insert(database, taken)


def take_out(database: sqlite3.Connection, number: int) -> None:
    """Forget a segment that is there no more."""
    with transaction(database):
        _drop(database, number)


def finish_loading(database: sqlite3.Connection) -> None:
    """End the first load: make the indexes by sorting once, and link the versions of each path."""
    with transaction(database):
        if not is_loading(database):  # another process was quicker
            return
        for statement in INDEXES.values():
            database.execute(statement)
        loosen(database)
        links.link_all(database)
        database.execute("UPDATE about SET value = 0 WHERE name = 'loading'")


def loosen(database: sqlite3.Connection) -> None:
    """Leave room in the pages of the indexes, which are full after sorting.

    Else each picture that comes later, whose path may lie anywhere, has SQLite spread four full pages over five. What
    is put in here and taken out again has it done so once for all pages, in their order. A row does that for one index;
    in the other it is not, or lies at one end.
    """
    for columns, order in (("path, NULL, 0", "path"), ("'', family, 0", "family")):
        some = (
            f"SELECT {columns} FROM picture WHERE id > 0 AND {order} NOT NULL AND id % {_ROOM_FOR} = 0 ORDER BY {order}"
        )
        last = next(database.execute("SELECT min(0, coalesce(min(id), 0)) FROM picture"))[0]
        database.execute(
            f"INSERT INTO picture (id, path, family, manner) SELECT {last} - row_number() OVER (), * FROM ({some})"
        )
    database.execute("DELETE FROM picture WHERE id < 0")


def _drop(database: sqlite3.Connection, number: int) -> None:
    ids = ids_of(number)
    with links.without(database, ids):
        database.execute("DELETE FROM picture WHERE id BETWEEN ? AND ?", ids)
    database.execute("DELETE FROM damage WHERE segment = ?", (number,))
    database.execute("DELETE FROM segment WHERE number = ?", (number,))


def _insert(database: sqlite3.Connection, taken: Taken) -> None:
    first, last = ids_of(taken.number)
    manners = _Manners(database)
    rows = {first + place: row for place, row in taken.rows.items()}
    database.executemany(
        INSERT,
        (
            damaged_columns(row, number) if isinstance(row, str) else columns_of(row, number, manners.id_of(row))
            for number, row in rows.items()
        ),
    )
    paths = set(map(_path_of, rows.values()))
    database.executemany("INSERT OR IGNORE INTO folder VALUES (?, ?)", _folders(paths))
    damage = (
        (taken.number, None if place is None else first + place, one.segment, one.entry, one.reason)
        for place, one in taken.damage
    )
    database.executemany("INSERT INTO damage VALUES (?, ?, ?, ?, ?)", damage)
    repeats = len(paths) < len(rows)
    superseded = set() if is_loading(database) else links.link(database, (first, last), repeats=repeats)
    current = (row for number, row in rows.items() if isinstance(row, Row) and number not in superseded)
    sums = SegmentSums(taken.number, taken.identity, taken.size, taken.created, len(rows), "")
    put_sums(database, sums, map(report_row, current))


def _path_of(row: Row | str) -> str:
    return row if isinstance(row, str) else row.path


def _folders(paths: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Yield family and name of the folders above all paths, each once."""
    seen: set[str] = set()
    for path in paths:
        folder = path.rpartition("/")[0]
        while folder and folder not in seen:
            seen.add(folder)
            yield family_of(folder), folder
            folder = folder.rpartition("/")[0]


class _Manners:
    """The numbers of the ways in which pictures are stored."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self._known: dict[tuple[Any, ...], int] = {}

    def id_of(self, row: Row) -> int:
        manner = manner_of(row)
        if manner not in self._known:
            self._known[manner] = self._noted(manner)
        return self._known[manner]

    def _noted(self, manner: tuple[Any, ...]) -> int:
        found = self._database.execute(_FIND_MANNER, manner).fetchone()
        if found is None:
            number = next(self._database.execute("SELECT coalesce(max(id), 0) + 1 FROM manner"))[0]
            self._database.execute(_NOTE_MANNER, (number, *manner, seal_of((number, *manner))))
            return int(number)
        manner_from(*found)
        return int(found[0])


_NOTE_MANNER: Final = f"INSERT INTO manner VALUES ({', '.join('?' * (len(MANNER) + 2))})"
_FIND_MANNER: Final = (
    f"SELECT id, {', '.join(MANNER)}, seal FROM manner WHERE {' AND '.join(f'{name} = ?' for name in MANNER)}"
)
