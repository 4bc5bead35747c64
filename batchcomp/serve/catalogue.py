"""What an archive holds, to be searched and turned over a page at a time, while others may write to it.

The versions of all pictures stand in a private temporary database that lies on the disk and goes with the process, so
that memory does not grow with the archive.
"""

from __future__ import annotations

import threading
from array import array
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from batchcomp.archive.history import UNKNOWN, times_of
from batchcomp.archive.manifest import created_in, picture_lines
from batchcomp.archive.reader import gap_damage, list_segments
from batchcomp.archive.rows import Row, row_of
from batchcomp.archive.segment import quick_manifest
from batchcomp.archive.segments import segment_name
from batchcomp.archive.store import Identity, Location
from batchcomp.errors import ArchiveError
from batchcomp.serve.database import Database, Found, Query

MOST_ITEMS: Final = 500  # pictures on one page of an answer
MOST_FOLDERS: Final = 2000
_QUERIES: Final = 8  # whose answers are kept
_BATCH: Final = 500  # lines that are taken in at once


@dataclass(frozen=True, kw_only=True)
class Listing:
    """One page of what a query finds; `state` differs whenever the archive changed."""

    state: int
    total: int
    items: Sequence[Found]


@dataclass(frozen=True, kw_only=True)
class Folder:
    """A folder below another one, and how many pictures it holds with all below it."""

    path: str
    pictures: int


@dataclass(frozen=True, kw_only=True)
class Held:
    """One version of a picture: `row` is None where its row is damaged, and `reason` says why."""

    key: str
    path: str
    number: int  # of the version, 1 for the oldest
    segment: int
    archived: datetime | None
    row: Row | None = None
    reason: str = ""


class Catalogue:
    """The pictures of an archive. Any number of threads may use it; `refresh` is called now and then.

    A version is called by a key that stays the same as long as the archive holds the version.
    """

    def __init__(self, archive: Location) -> None:
        self.archive = archive
        self.complete = False  # whether all segments were looked at once
        self.problems: tuple[str, ...] = ()  # what is wrong with the archive, a line each
        self._refreshing = threading.Lock()
        self._guard = threading.Lock()
        self._now = (0, Database())  # the state, which differs whenever something changed, and what it is about
        self._known: dict[int, Identity] = {}
        self._created: dict[int, datetime | None] = {}
        self._damaged: dict[int, str] = {}
        self._orders: OrderedDict[tuple[int, Query], array[int]] = OrderedDict()
        self._folders: tuple[int, dict[str, int]] = (-1, {})

    @property
    def state(self) -> int:
        """A number that differs whenever something changed."""
        return self._now[0]

    def close(self) -> None:
        """Give back the disk space."""
        self._now[1].close()

    def refresh(self) -> None:
        """Take in what changed in the archive; what cannot be read is named in `problems`, and the rest goes on."""
        with self._refreshing:
            try:
                found = list_segments(self.archive)
                now = {number: entry.identity for number, entry in zip(found.numbers, found.entries, strict=True)}
                gaps = [f"{one.segment}: {one.reason}" for one in gap_damage(self.archive, sorted(now))]
            except (ArchiveError, OSError) as error:
                self.problems = (str(error),)
                return
            if now != self._known:
                self._take_in(now)
            damaged = (f"{segment_name(number)}: {reason}" for number, reason in sorted(self._damaged.items()))
            self.problems = (*damaged, *gaps)
            self.complete = True

    def _take_in(self, now: dict[int, Identity]) -> None:
        state, database = self._now
        added = sorted(now.keys() - self._known.keys())
        same = all(now.get(number) == identity for number, identity in self._known.items())
        rewritten = not same or (bool(added and self._known) and added[0] < max(self._known))  # by `prune` or `repair`
        if rewritten:
            database, added = Database(), sorted(now)
            self._known, self._created, self._damaged = {}, {}, {}
        for number in added:
            self._read(database, number)
            self._known[number] = now[number]
            if not rewritten:
                state += 1
                self._now = state, database
        if rewritten:
            self._now = state + 1, database

    def _read(self, database: Database, number: int) -> None:
        """Take in one segment; a damaged one holds nothing."""
        try:
            manifest = quick_manifest(self.archive, number)
        except (ArchiveError, OSError) as error:  # damaged, or gone by now, which the next look finds
            self._damaged[number] = str(error)
            return
        self._created[number] = created_in(manifest)
        lines: list[bytes] = []
        for line in picture_lines(manifest):
            lines.append(line)
            if len(lines) == _BATCH:
                database.add(number, lines)
                lines.clear()
        database.add(number, lines)

    def page(self, query: Query, start: int, count: int) -> Listing:
        """Return the pictures from place `start` on that a query finds, in its order."""
        state, database = self._now
        order = self._order(state, database, query)
        part = order[max(0, start) : max(0, start) + min(count, MOST_ITEMS)]
        return Listing(state=state, total=len(order), items=database.found(part))

    def around(self, query: Query, key: str) -> int | None:
        """Return the place of a picture among those that a query finds, None where it is not among them."""
        state, database = self._now
        order, wanted = self._order(state, database, query), database.number_of(key)
        try:
            return None if wanted is None else order.index(wanted)
        except ValueError:
            return None

    def _order(self, state: int, database: Database, query: Query) -> array[int]:
        with self._guard:
            known = self._orders.get((state, query))
            if known is not None:
                self._orders.move_to_end((state, query))
                return known
        order = database.matching(query)
        with self._guard:
            self._orders[state, query] = order
            while len(self._orders) > _QUERIES:
                self._orders.popitem(last=False)
        return order

    def folders(self, under: str) -> list[Folder]:
        """Return the folders right below `under` ("" for the top), by name, at most `MOST_FOLDERS`."""
        state, database = self._now
        with self._guard:
            known, counts = self._folders
        if known != state:
            counts = database.folders()
            with self._guard:
                self._folders = (state, counts)
        start = f"{under}/" if under else ""
        found: dict[str, int] = {}
        for path, pictures in counts.items():
            if path.startswith(start) and path != under:
                name = start + path[len(start) :].partition("/")[0]
                found[name] = found.get(name, 0) + pictures
        names = sorted(found, key=lambda name: (name.casefold(), name))[:MOST_FOLDERS]
        return [Folder(path=name, pictures=found[name]) for name in names]

    def held(self, key: str) -> Held | None:
        """Return the version of a key, None where the archive has none."""
        path = self._now[1].path_of(key)
        versions = self.versions(path) if path is not None else ()
        return next((one for one in versions if one.key == key), None)

    def versions(self, path: str) -> list[Held]:
        """Return all versions of a picture, the oldest first."""
        times = times_of(self._created)
        return [
            _version(
                line, Held(key=key, path=path, number=number, segment=segment, archived=_known(times.get(segment)))
            )
            for number, (key, segment, line) in enumerate(self._now[1].versions(path), 1)
        ]


def _known(moment: datetime | None) -> datetime | None:
    return None if moment == UNKNOWN else moment


def _version(line: bytes, held: Held) -> Held:
    """Return a version with its row, or why there is none."""
    try:
        return replace(held, row=row_of(line, held.segment))
    except ValueError as error:
        return replace(held, reason=f"its row is damaged ({error}); run `batchcomp repair`")
