"""What an archive holds, to be searched and turned over a page at a time, while others may write to it.

Everything is asked of the archive's index, which lies on the disk; in memory are the ids of what was found.
"""

from __future__ import annotations

import threading
from array import array
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Final, TypeVar

from batchcomp.archive.history import UNKNOWN
from batchcomp.archive.reader import list_segments
from batchcomp.archive.rows import Row
from batchcomp.archive.store import Identity, Location
from batchcomp.errors import ArchiveError
from batchcomp.index import ArchiveIndex, Condition
from batchcomp.index.conditions import one_of
from batchcomp.index.schema import ids_of, segment_of
from batchcomp.serve.query import ORDERS, Query

MOST_ITEMS: Final = 500  # pictures on one page of an answer
MOST_FOLDERS: Final = 2000
_QUERIES: Final = 8  # whose answers are kept
_DIGITS: Final = 24  # hexadecimal, of a key, behind the id
_LARGEST: Final = 2**62  # of an id
DAMAGED_ROW: Final = "its row is damaged; run `batchcomp repair`"

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Found:
    """A picture as a list shows it; `row` is None where its row is damaged."""

    key: str
    path: str
    row: Row | None


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
    """One version of a picture: `row` is None where its row is damaged, and `reason` says so."""

    key: str
    path: str
    number: int  # of the version, 1 for the oldest
    segment: int
    archived: datetime | None
    row: Row | None = None
    reason: str = ""


class Catalogue:
    """The pictures of an archive. Any number of threads may use it; `refresh` is called now and then.

    A version is called by a key, which stands for nothing else as long as the archive is served and is found again
    after `prune` and `repair`.
    """

    def __init__(self, archive: Location) -> None:
        self.archive = archive
        self.complete = False  # whether all segments were looked at once
        self.problems: tuple[str, ...] = ()  # what is wrong with the archive, a line each
        self.state = 0  # differs whenever something changed
        self._refreshing = threading.Lock()
        self._turn = threading.Lock()  # of the one connection
        self._index: ArchiveIndex | None = None
        self._known: dict[int, Identity] = {}
        self._orders: OrderedDict[Query, array[int]] = OrderedDict()
        self._folders: dict[str, int] | None = None

    def close(self) -> None:
        """Let go of the index; what is asked later finds nothing."""
        self._replace(None)

    def refresh(self) -> None:
        """Take in what changed in the archive; what cannot be read is named in `problems`, and the rest goes on."""
        with self._refreshing:
            try:
                found = list_segments(self.archive)
                now = {number: entry.identity for number, entry in zip(found.numbers, found.entries, strict=True)}
                if not self.complete or now != self._known:
                    index = ArchiveIndex.open(self.archive)
                    damage = tuple(map(str, index.damage()))
                    self._replace(index)
                    self.problems, self._known, self.complete = damage, now, True
            except (ArchiveError, OSError) as error:
                self.problems, self._known = (str(error),), {}

    def _replace(self, index: ArchiveIndex | None) -> None:
        with self._turn:
            before, self._index = self._index, index
            self.state += 1
            self._orders.clear()
            self._folders = None
            if before is not None:
                before.close()

    def _ask(self, question: Callable[[ArchiveIndex], T], nothing: T) -> T:
        """Ask the index, or answer `nothing` before it is there and after it was closed."""
        with self._turn:
            return nothing if self._index is None else question(self._index)

    def page(self, query: Query, start: int, count: int) -> Listing:
        """Return the pictures from place `start` on that a query finds, in its order."""

        def ask(index: ArchiveIndex) -> Listing:
            order = self._order(index, query)
            part = order[max(0, start) : max(0, start) + min(count, MOST_ITEMS)]
            found = {record[0]: record for some in one_of("p.id", part) for record in index.records(some)}
            items = [
                Found(key=_key(*record), path=record[1], row=record[2]) for record in map(found.get, part) if record
            ]
            return Listing(state=self.state, total=len(order), items=items)

        return self._ask(ask, Listing(state=self.state, total=0, items=()))

    def around(self, query: Query, key: str) -> int | None:
        """Return the place of a picture among those that a query finds, None where it is not among them."""

        def ask(index: ArchiveIndex) -> int | None:
            held = _find(index, key)
            try:
                return None if held is None else self._order(index, query).index(held[0])
            except ValueError:
                return None

        return self._ask(ask, None)

    def _order(self, index: ArchiveIndex, query: Query) -> array[int]:
        known = self._orders.get(query)
        if known is None:
            known = self._orders[query] = array("q", index.ids(query.condition, order=ORDERS[query.order]))
        self._orders.move_to_end(query)
        while len(self._orders) > _QUERIES:
            self._orders.popitem(last=False)
        return known

    def folders(self, under: str) -> list[Folder]:
        """Return the folders right below `under` ("" for the top), by name, at most `MOST_FOLDERS`."""

        def ask(index: ArchiveIndex) -> dict[str, int]:
            if self._folders is None:
                self._folders = dict(index.folders())
            return self._folders

        start = f"{under}/" if under else ""
        found: dict[str, int] = {}
        none: dict[str, int] = {}
        for path, pictures in self._ask(ask, none).items():
            if path.startswith(start) and path != under:
                name = start + path[len(start) :].partition("/")[0]
                found[name] = found.get(name, 0) + pictures
        names = sorted(found, key=lambda name: (name.casefold(), name))[:MOST_FOLDERS]
        return [Folder(path=name, pictures=found[name]) for name in names]

    def held(self, key: str) -> Held | None:
        """Return the version of a key, None where the archive has none."""

        def ask(index: ArchiveIndex) -> Held | None:
            found = _find(index, key)
            if found is None:
                return None
            number, path, _ = found
            return next(one for one in _versions(index, path) if one[0] == number)[1]

        return self._ask(ask, None)

    def versions(self, path: str) -> list[Held]:
        """Return all versions of a picture, the oldest first."""
        return self._ask(lambda index: [held for _, held in _versions(index, path)], [])


def _versions(index: ArchiveIndex, path: str) -> list[tuple[int, Held]]:
    """Return the versions of a picture with their ids."""
    versions = []
    for count, (number, _, row) in enumerate(index.records(Condition(sql="p.path = ?", values=(path,))), 1):
        segment = segment_of(number)
        moment = index.times.get(segment, UNKNOWN)
        held = Held(
            key=_key(number, path, row),
            path=path,
            number=count,
            segment=segment,
            archived=None if moment == UNKNOWN else moment,
            row=row,
            reason="" if row else DAMAGED_ROW,
        )
        versions.append((number, held))
    return versions


def _key(number: int, path: str, row: Row | None) -> str:
    """Return what a version is called: where it stands, and a checksum of all that is known of it."""
    return f"{number:x}-{sha256(repr((path, row)).encode('utf-8', 'surrogatepass')).hexdigest()[:_DIGITS]}"


def _find(index: ArchiveIndex, key: str) -> tuple[int, str, Row | None] | None:
    """Return the version of a key; its segment is gone through where it stands in another place of it by now."""
    place, _, digest = key.partition("-")
    try:
        number = int(place, 16)
    except ValueError:
        return None
    if not 0 <= number < _LARGEST or len(digest) != _DIGITS:
        return None
    first, last = ids_of(segment_of(number))
    for sql, values in (("p.id = ?", (number,)), ("p.id BETWEEN ? AND ?", (first, last))):
        for found in index.records(Condition(sql=sql, values=values)):
            if _key(*found).endswith(f"-{digest}"):
                return found
    return None
