"""Reads an archive: the current rows of all segments, and the payload of each. Needs no lock."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from functools import lru_cache
from itertools import pairwise
from typing import Self, TypeVar

from batchcomp.archive import durable
from batchcomp.archive.claims import claim_of
from batchcomp.archive.damage import Damage, FoundDamageError
from batchcomp.archive.jobs import open_ids
from batchcomp.archive.manifest import line_path
from batchcomp.archive.promised import without_promised
from batchcomp.archive.rows import Row
from batchcomp.archive.segment import Segment, SegmentReplacedError, open_segment
from batchcomp.archive.segments import Listing, look, segment_name, segment_numbers
from batchcomp.archive.store import Identity, Location, MissingStoreError, Store, store_of
from batchcomp.errors import ArchiveDamagedError, ArchiveError, ArchiveNotFoundError

MISSING, MISSING_MANY = "the segment is missing", "the segments are missing"
T = TypeVar("T")
KEPT = 4  # segments that are asked for in turns
_MAX_TRIES = 10  # a segment may be replaced between being opened and being read


class ArchiveReader:
    """The pictures of an archive, read only. No lock is needed, and several threads may use one ArchiveReader.

        with ArchiveReader.open(Path("photos.bca")) as archive:
            for row in archive.rows():
                print(row.path, len(archive.read(row)))

    It shows the segments that were there when it was opened; a writer may add others meanwhile. Newer segments are
    looked at only if `prune` or `repair` replaced an older one, which may have held the newest version of a path.

    Attributes:
        store: where its files lie.
        damage: what was found wrong so far. `open` checks every segment's frame, `rows` every row, and `read` the
            payload that it returns; a payload that fails is an error of `read` and not listed here.
    """

    def __init__(self, where: Location, numbers: list[int], *, kept: int = KEPT) -> None:
        """Look at nothing yet; `kept` is how many directories of segments stay in memory, 100 to 400 bytes an entry."""
        self.store: Store = store_of(where)
        self.damage: list[Damage] = []
        self._numbers = numbers
        self._snapshot: dict[int, Identity | None] = {}  # of all segments, damaged ones too
        self._identities: dict[int, Identity] = {}  # as first seen
        self._segment = lru_cache(maxsize=kept)(self._opened)

    @staticmethod
    def open(where: Location) -> ArchiveReader:
        """Open an archive and check the frame of each segment; damaged ones do not stop the others.

        Raises:
            ArchiveNotFoundError: there is no archive.
            ArchiveError: a segment's version is newer than this build reads, or the folder cannot be read.
        """
        archive = ArchiveReader(where, [])
        archive._catch_up()
        archive.damage.extend(gap_damage(archive.store, list(archive._snapshot)))
        return archive

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Forget the segments that were looked at; no file stays open between two calls anyway."""
        self._segment.cache_clear()

    def rows(self) -> Iterator[Row]:
        """Yield the current rows, oldest segment first, each in the order of its entries.

        The last row of a path supersedes those before it, even if it is damaged: an old version is never passed off
        as the current one. Memory grows by the paths alone.
        """
        return self._current_rows(self._newest())

    def row(self, path: str) -> Row:
        """Return the current row of the picture that was archived as `path` (relative, with `/`).

        Raises:
            ArchiveDamagedError: its row is damaged.
            ArchiveError: there is no such picture in the archive.
        """
        newest = self._newest()
        if path not in newest:
            raise ArchiveError(f"{self.store}: has no picture {path!r}; `batchcomp list` names those it has")
        for row in self._current_rows({path: newest[path]}):
            return row
        raise ArchiveDamagedError(f"{self.store}: the row of {path!r} is damaged; run `batchcomp repair`")

    def _current_rows(self, newest: dict[str, int]) -> Iterator[Row]:
        """Yield the rows of the lines in `newest`, and of those that took their place meanwhile."""
        while newest:
            for segment, line in self._lines():
                path = line_path(line)
                if path is not None and newest.get(path) == _mark(segment.number, line):
                    del newest[path]  # a line that occurs twice counts once
                    yield from self._rows(segment, line)
            if not newest or not self._is_replaced():
                return
            newest = {path: mark for path, mark in self._newest().items() if path in newest}

    def all_rows(self) -> Iterator[Row]:
        """Yield every row, superseded ones too, in the order they were written."""
        for segment, line in self._lines():
            yield from self._rows(segment, line)

    def versions(self) -> Iterator[tuple[str, int, Row | None]]:
        """Yield every version in the order they were written: its path, its segment, and its row, None if damaged."""
        for segment, line in self._lines():
            path = line_path(line)
            if path is not None:
                yield path, segment.number, next(self._rows(segment, line), None)

    @property
    def numbers(self) -> tuple[int, ...]:
        """The numbers of the sound segments."""
        return tuple(self._numbers)

    def created(self, number: int) -> datetime | None:
        """Return when a segment was first written, in UTC; None where it does not say."""
        try:
            return self._current(number, Segment.created)
        except FoundDamageError as error:
            self._note(error.damage)
            return None

    def read(self, row: Row) -> bytes:
        """Return the payload of a row of this archive, exactly the bytes that were added.

        Raises:
            ArchiveDamagedError: length or SHA-256 is not what the row says; the message names segment and entry.
            ArchiveError: the segment cannot be read, or the row was pruned meanwhile.
        """
        number, entry = row.place

        def read(segment: Segment) -> bytes:
            if entry not in segment.spans and segment.identity != self._identities[number]:
                raise ArchiveError(f"{segment}: {entry!r}: was pruned meanwhile; run again")
            return segment.read(row)

        return self._current(number, read)

    def bytes_on_disk(self) -> int:
        """Return the size of all segments in bytes, damaged ones too."""
        names = {segment_name(number) for number in segment_numbers(self.store)}
        return sum(entry.size for entry in self.store.entries() if entry.name in names)

    def _newest(self) -> dict[str, int]:
        """Return the mark of the last line of each path, all as it was at one moment."""
        for _ in range(_MAX_TRIES):
            if self._is_replaced():
                self._catch_up()
            newest = {path: _mark(number, line) for number in self._numbers for path, line in self._paths(number)}
            if not self._is_replaced():
                break
        return newest

    def _is_replaced(self) -> bool:
        """Tell whether a segment was replaced by another file; new segments do not count."""
        found = self._identities_now()
        return any(found.get(segment_name(number)) != known for number, known in self._snapshot.items())

    def _identities_now(self) -> dict[str, Identity]:
        with suppress(OSError):
            return {entry.name: entry.identity for entry in self.store.entries()}
        return {}

    def _catch_up(self) -> None:
        """Take the segments that are there now: one is replaced only after those that supersede its rows are there."""
        while True:
            numbers, found = find_segments(self.store), self._identities_now()
            identities = {number: found.get(segment_name(number)) for number in numbers}
            if find_segments(self.store) == numbers:  # else segments were added meanwhile
                break
        known, self._snapshot = set(self._snapshot), identities
        self._numbers.extend(number for number in identities if number not in known and self._is_sound(number))
        self._numbers.sort()

    def _paths(self, number: int) -> Iterator[tuple[str, bytes]]:
        for line in self._lines_of(number):
            path = line_path(line)
            if path is not None:
                yield path, line

    def _lines(self) -> Iterator[tuple[Segment, bytes]]:
        return ((self._segment(number), line) for number in self._numbers for line in self._lines_of(number))

    def _lines_of(self, number: int) -> Iterator[bytes]:
        """Yield the lines of the pictures in a segment, none where it is damaged."""
        try:
            return self._current(number, Segment.picture_lines)
        except FoundDamageError as error:  # the file changed since it was opened
            self._note(error.damage)
            return iter(())

    def _current(self, number: int, look: Callable[[Segment], T]) -> T:
        """Call `look` with a segment, again if `prune` or `repair` replaced it between opening and reading."""
        for _ in range(_MAX_TRIES):
            with suppress(SegmentReplacedError):
                return look(self._segment(number))
            self._segment.cache_clear()
        return look(self._segment(number))

    def _rows(self, segment: Segment, line: bytes) -> Iterator[Row]:
        try:
            yield segment.row(line)
        except FoundDamageError as error:
            self._note(error.damage)

    def _opened(self, number: int) -> Segment:
        segment = open_segment(self.store, number)
        self._identities.setdefault(number, segment.identity)
        return segment

    def _is_sound(self, number: int) -> bool:
        try:
            self._current(number, Segment.read_manifest)
            self.damage.extend(self._segment(number).damage)
        except FoundDamageError as error:
            self._note(error.damage)
            return False
        return True

    def _note(self, damage: Damage) -> None:
        if damage not in self.damage:
            self.damage.append(damage)


def _mark(number: int, line: bytes) -> int:
    """Return a number that stands for one line of one segment; it does not change when the segment is rewritten."""
    return hash((number, line))


def find_segments(where: Location) -> list[int]:
    """Return the numbers of the segments of an archive, ascending, at least one. Errors: see `list_segments`."""
    return list(list_segments(where).numbers)


def list_segments(where: Location) -> Listing:
    """Return the segments of an archive, at least one.

    Raises:
        ArchiveNotFoundError: there is no archive.
        ArchiveError: the folder cannot be read.
    """
    store = store_of(where)
    try:
        with durable.reported(store, "check the disk and its permissions"):
            listing = look(store)
    except ArchiveError as error:
        if isinstance(error.__cause__, MissingStoreError):
            raise ArchiveNotFoundError(str(error)) from None
        if isinstance(error.__cause__, FileNotFoundError):
            raise ArchiveNotFoundError(f"{store}: there is no such archive; check the name") from None
        if isinstance(error.__cause__, NotADirectoryError):
            raise ArchiveNotFoundError(f"{store}: is a file, not an archive (a folder NAME.bca)") from None
        raise
    if not listing.numbers:
        if names := open_ids(store):
            raise ArchiveNotFoundError(
                f"{store}: job {names[0]} is open, and none of its parts is there yet; go on with it"
            )
        raise ArchiveNotFoundError(f"{store}: holds no finished segment (000001.zip, ...); run `batchcomp compress`")
    return listing


def gap_damage(where: Location, numbers: Sequence[int]) -> list[Damage]:
    """Return a Damage for each range of numbers that are missing below the highest."""
    return [
        Damage(segment=range_name(first, last), entry=None, reason=MISSING if first == last else MISSING_MANY)
        for first, last in missing_ranges(where, numbers)
    ]


def missing_ranges(where: Location, numbers: Sequence[int]) -> list[tuple[int, int]]:
    """Return first and last number of each gap: numbers are given out without gaps, but for those a header tells.

    A number that an open job keeps for itself is no gap.
    """
    ranges = []
    for before, number in pairwise([0, *numbers]):
        if number - before > 1:
            claim = claim_of(where, segment_name(number))
            told = claim.after if claim and claim.segment == number else None
            last = number - 1 if told is None else min(told, number - 1)
            if last > before:
                ranges.append((before + 1, last))
    return without_promised(where, ranges)


def range_name(first: int, last: int) -> str:
    """Return how messages call the segments from `first` to `last`."""
    return segment_name(first) if first == last else f"{segment_name(first)} to {segment_name(last)}"
