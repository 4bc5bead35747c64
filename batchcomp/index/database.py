"""The database of an index: opened, brought up to date, and replaced where it turns out to be unusable."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, suppress
from itertools import count
from pathlib import Path
from typing import Any, Final, TypeVar

from batchcomp.archive.segment import SegmentReplacedError
from batchcomp.archive.segments import MAX_NUMBER
from batchcomp.archive.store import Entry, Store
from batchcomp.errors import ArchiveError, ArchiveLockedError
from batchcomp.index import schema
from batchcomp.index.conditions import Condition
from batchcomp.index.loading import finish_loading, take_in, take_out
from batchcomp.index.place import discard, forget_old, index_file, key_of, used
from batchcomp.index.reading import Segments, list_segments, read_segment
from batchcomp.index.schema import PRIVATE, BrokenIndexError, connect, is_loading

T = TypeVar("T")
Told = Callable[[int, int], None]  # of how many segments were taken in so far, of how many
_MAX_TRIES: Final = 10  # segments may come and go while they are taken in
_BUSY: Final = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL}
_SOUND: Final = {*_BUSY, sqlite3.SQLITE_FULL, sqlite3.SQLITE_NOMEM}  # errors that say nothing against the file


class IndexDatabase:
    """A connection that shows an archive as it was at one moment.

    Where the file is damaged it is made anew; where it is locked or cannot be written, and where it fails a second
    time, a private database takes its place, which nobody else sees. `file` is None then.
    """

    def __init__(self, store: Store, *, rebuild: bool = False, told: Told | None = None) -> None:
        """Open the index of an archive.

        Raises:
            ArchiveError: see `list_segments` and `read_segment`; or there is no room even for a private index.
            ArchiveLockedError: it was to be made anew, and another process has it open.
        """
        self._store, self._told = store, told or (lambda _done, _count: None)
        self._looked: dict[int, str] = {}  # segments that are looked at every time, and were
        self._listed: Segments | None = list_segments(store)  # raises the fitting error before anything is made
        self.file = index_file(store)
        if rebuild and self.file is not None and not discard(self.file):
            raise ArchiveLockedError(
                f"{store}: another process uses its index ({self.file}); run again when that has ended"
            )
        self._places = self._all_places()
        self._names = count()
        self._connection = self._next(None)

    def close(self) -> None:
        """Let go of the database."""
        self._held.close()

    def renew(self, error: sqlite3.Error) -> None:
        """Replace the database, in which this was found to be wrong."""
        self._connection = self._next(error)

    def query(
        self, sql: str, condition: Condition | None = None, *, make: Callable[[tuple[Any, ...]], T], limit: int = -1
    ) -> Iterator[T]:
        """Yield what `make` makes of each record; `sql` gives them in a fixed order.

        A database that fails on the way is replaced, and the query goes on where it was.
        """
        values: Sequence[Any] = condition.values if condition else ()
        done = 0
        while True:
            connection = self._connection
            try:
                text = self._with_test(connection, sql, condition)
                rest = limit - done if limit >= 0 else -1
                for record in connection.execute(f"{text} LIMIT {rest} OFFSET {done}", values):
                    yield make(record)
                    done += 1
            except sqlite3.Error as error:
                if connection is self._connection:  # else another query has replaced it
                    self._connection = self._next(error)
            else:
                return

    def _with_test(self, connection: sqlite3.Connection, sql: str, condition: Condition | None) -> str:
        """Return the text of a query whose test of paths has a name of its own."""
        if condition is None or condition.test is None:
            return sql
        test, name = condition.test, f"chosen{next(self._names)}"
        connection.create_function(name, 1, lambda path: bool(test(path)))
        return sql.replace("chosen(", f"{name}(")

    def _all_places(self) -> Iterator[Path | str]:
        if self.file is not None:
            yield from (self.file, self.file)
        self.file = None
        yield from PRIVATE

    def _next(self, error: sqlite3.Error | None) -> sqlite3.Connection:
        """Open the database at the next place that can be used; `error` is what was wrong with the last one."""
        last: Exception | None = error
        if error is not None:
            self.close()
            self._give_up(error)
        for place in self._places:
            try:
                return self._opened_soon(place)
            except (sqlite3.Error, OSError) as failure:
                last = failure
                self._give_up(failure)
        reason = f"its index cannot be made ({last}); free some space, or set TMPDIR to a folder with room"
        raise ArchiveError(f"{self._store}: {reason}") from last

    def _give_up(self, error: Exception) -> None:
        """Delete the file if it is at fault; where it is not, or others use it, do without one."""
        if self.file is not None and (_code(error) in _SOUND or not discard(self.file)):
            self._places, self.file = iter(PRIVATE), None

    def _opened_soon(self, place: Path | str) -> sqlite3.Connection:
        """Open a database, again while it is in use.

        SQLite does not wait where two processes make a new file at once, each about to change how it is written: one
        of them is told at once that it is locked, for as long as the other one takes.
        """
        end = time.monotonic() + schema.WAIT_SECONDS
        while True:
            try:
                return self._opened(place)
            except sqlite3.Error as error:
                if _code(error) not in _BUSY or time.monotonic() > end:
                    raise
                time.sleep(schema.MOMENT)

    def _opened(self, place: Path | str) -> sqlite3.Connection:
        with ExitStack() as held:
            if isinstance(place, Path):
                held.enter_context(used(place))
            connection = held.enter_context(closing(connect(place, key_of(self._store))))
            self._looked = {}
            self._catch_up(connection)
            self._held = held.pop_all()
        if isinstance(place, Path):
            forget_old(place)
        return connection

    def _catch_up(self, connection: sqlite3.Connection) -> None:
        """Take in what changed until the index shows what is there; then keep that in sight, whatever others do."""
        for _ in range(_MAX_TRIES):
            there = self._listed or list_segments(self._store)
            self._listed = None
            connection.execute("BEGIN")
            if not self._stale(connection, there) and not is_loading(connection):
                return
            connection.execute("ROLLBACK")
            self._take_in(connection, there)
        connection.execute("BEGIN")

    def _stale(self, connection: sqlite3.Connection, there: Segments) -> list[int]:
        """Return the numbers of the segments that the index has otherwise, or not at all, or that are gone."""
        known = dict(connection.execute("SELECT number, identity FROM segment"))
        if any(not 0 < number <= MAX_NUMBER for number in known):
            raise BrokenIndexError("the index has segments that no archive has")
        known |= {number: identity for number, identity in self._looked.items() if not known.get(number, "-")}
        now = {number: entry.identity for number, entry in there.items()}
        return sorted({number for number, _ in known.items() ^ now.items()})

    @staticmethod
    def _has(connection: sqlite3.Connection, number: int, entry: Entry) -> bool:
        found = connection.execute("SELECT identity FROM segment WHERE number = ?", (number,)).fetchone()
        return found is not None and found[0] == entry.identity

    def _take_in(self, connection: sqlite3.Connection, there: Segments) -> None:
        stale = self._stale(connection, there)
        for done, number in enumerate(stale):
            self._told(done, len(stale))
            entry = there.get(number)
            if entry is None:
                take_out(connection, number)
                continue
            if self._has(connection, number, entry):  # another process was quicker
                continue
            with suppress(SegmentReplacedError):
                take_in(connection, read_segment(self._store, number, entry))
                self._looked[number] = entry.identity
        if is_loading(connection):
            finish_loading(connection)


def _code(error: Exception) -> int:
    """Return SQLite's number of an error, 0 where it has none."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF
