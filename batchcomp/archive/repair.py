"""Makes a damaged archive sound again: saves every intact picture, says what is lost, keeps the damaged files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, nullcontext, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from batchcomp.archive import durable
from batchcomp.archive.growing import utc_now
from batchcomp.archive.inventory import Inventory
from batchcomp.archive.lock import locked
from batchcomp.archive.manifest import inner_lines, is_held, is_row, picture_line
from batchcomp.archive.mapped import mapped
from batchcomp.archive.names import natural_name
from batchcomp.archive.parity import heal
from batchcomp.archive.reader import range_name
from batchcomp.archive.restore import restore
from batchcomp.archive.rewrite import Kept, rewrite
from batchcomp.archive.rows import Row
from batchcomp.archive.salvage import Describe, Lost, Salvage, salvage
from batchcomp.archive.segment import Segment, open_segment
from batchcomp.archive.segments import aside_names, aside_numbers, next_aside, segment_name, segment_numbers
from batchcomp.archive.store import Location, Store, store_of
from batchcomp.archive.verify import check_file, content_of
from batchcomp.errors import ArchiveDamagedError, ArchiveError, ArchiveNotFoundError
from batchcomp.kinds import KINDS

Place = tuple[int, str]  # a segment's number and an entry in it


@dataclass(frozen=True, kw_only=True)
class Repaired:
    """What became of one segment. `aside`: path or address of what keeps the damaged bytes, None where none were."""

    number: int
    saved: int  # pictures, shared ones too
    rebuilt: int  # of these: rows made anew from local header and payload, without measurements
    lost: tuple[Lost, ...]
    aside: str | None
    exact: bool = False  # whether recovery data gave the segment back to the byte
    restored: int = 0  # blocks that it gave back
    note: str = ""  # what a person should know though nothing need be lost


@dataclass(frozen=True, kw_only=True)
class RepairReport:
    """What `repair` did; `segments` is empty if the archive was sound."""

    segments: tuple[Repaired, ...]
    parity: tuple[int, ...] = ()  # numbers of the segments whose recovery data was written anew

    @property
    def lost(self) -> tuple[Lost, ...]:
        """Everything that could not be saved."""
        return tuple(lost for segment in self.segments for lost in segment.lost)


def repair(
    where: Location,
    describe: Describe,
    *,
    dry_run: bool = False,
    lock_wait: float = 0,
    now: Callable[[], datetime] = utc_now,
) -> RepairReport:
    """Restore each damaged segment with its recovery data, or else write it anew from what is intact in it.

    The old file stays beside it as `*.zip.damaged`. Recovery data that is damaged is written anew.

    Segments are repaired one at a time, the earlier ones first, each replaced in one step. An interruption leaves
    the others as they were; run again to go on. Where the newest version of a picture is lost, the one before it
    becomes current.

    Raises:
        ArchiveNotFoundError, ArchiveLockedError: as the names say.
        ArchiveError: the archive is of a newer version, or the disk refuses.
    """
    store = store_of(where)
    with durable.reported(store):
        if not store.exists():
            raise ArchiveNotFoundError(f"{store}: there is no such archive; check the name")
    with nullcontext() if dry_run else locked(store, lock_wait):
        segments = tuple(_Repair(store, describe, now, write=not dry_run).run())
        return RepairReport(segments=segments, parity=tuple(heal(store, write_it=not dry_run)))


class _Repair:
    def __init__(self, store: Store, describe: Describe, now: Callable[[], datetime], *, write: bool) -> None:
        self._store, self._describe, self._now, self._write = store, describe, now, write
        self._shared: dict[Place, Row] = {}
        self._alive: dict[Place, int] = {}  # entries that rows may share, and what they hold
        self._held: set[Place] = set()
        self._referred: set[Place] = set()
        self._incomplete = False  # whether rows may be lost, in this run or in one that it goes on with

    def run(self) -> Iterator[Repaired]:
        """Go through all numbers in order."""
        self._files = Inventory.of(self._store)
        self._incomplete = bool(aside_numbers(self._store))
        self._shared = dict(_shared_rows(self._store))
        for first, last in self._files.work():
            if first < last or not self._files.has(last):
                yield self._gap(first, last)
            elif not self._is_intact(last):
                if restored := self._restored(last):
                    yield restored
                    self._files.damaged.discard(last)
                    if not self._write or self._is_intact(last):
                        continue  # else it refers to what was lost elsewhere
                yield self._segment(last)
        for number in self._files.strangers:
            yield self._stranger(number)
        orphans = self._held - self._referred if self._incomplete else set()
        for number in sorted({number for number, _ in orphans}):
            yield self._given_back(number, {entry for of, entry in orphans if of == number})

    def _is_intact(self, number: int) -> bool:
        """Tell whether a segment is sound and all content that its rows share is there; note what it holds.

        Where damage was found in it, its cause may lie in an earlier segment that has been repaired by now.
        """
        try:
            segment = open_segment(self._store, number)
            if number in self._files.damaged and check_file(segment):
                return False
            rows = [(line, segment.row(line)) for line in segment.row_lines()]
        except ArchiveDamagedError:
            return False
        except ArchiveError:  # a newer version, or the disk; or there is no such file but one to make it from
            if self._store.stat(segment_name(number)):
                raise
            return False
        self._note(rows)
        return all(self._is_alive(row) for _, row in rows if row.owner_segment)

    def _segment(self, number: int) -> Repaired:
        source = self._files.source(number)
        if source is None:  # the file of this name is another segment
            reason = f"its file is a copy of segment {self._files.origins[number]}, and it is nowhere else"
            lost = Lost(path=segment_name(number), reason=f"{reason}: what was in it is unknown", count=None)
            return self._done(number, Salvage(lost=[lost]), None)
        with durable.reported(self._store.shown(source)), ExitStack() as stack:
            path = stack.enter_context(self._store.local(source))
            data = stack.enter_context(mapped(path))
            found = salvage(data, path, number, self._describe, self._shared)
            self._drop_dangling(found)
            return self._done(number, found, source)

    def _gap(self, first: int, last: int) -> Repaired:
        """Write one empty segment that says that those from `first` to `last` are no more."""
        what = "the segment is missing" if first == last else "the segments are missing"
        reason = f"{what}, with all that was in {'it' if first == last else 'them'}"
        lost = [Lost(path=range_name(first, last), reason=reason, count=None)]
        for place, row in self._shared.items():
            if first <= place[0] <= last and row.stored in KINDS:
                reason = "its segment is missing; its name is known from a picture that shares its content"
                lost.append(Lost(path=natural_name(place[1], KINDS[row.stored].suffix, 0), reason=reason))
        return self._done(last, Salvage(lost=lost), None, after=first - 1)

    def _stranger(self, number: int) -> Repaired:
        """Set aside a file behind all segments that says that it is another one."""
        name = segment_name(number)
        aside = self._aside(number, name)
        if self._write:
            with durable.reported(self._store.shown(name)):
                self._store.set_aside(name, aside)
                self._store.delete(name)
        note = (
            f"{name} says that it is segment {self._files.origins[number]}: it was renamed or copied, and is set "
            "aside; whether there was another segment of this number cannot be told"
        )
        return Repaired(number=number, saved=0, rebuilt=0, lost=(), aside=self._shown(aside), note=note)

    def _restored(self, number: int) -> Repaired | None:
        """Give a segment back as it was written, where its recovery data can."""
        source = self._files.source(number)
        if source is None:
            return None
        aside = self._aside(number, source) if source == segment_name(number) else None
        found = restore(self._store, number, source, aside, write=self._write)
        if found is None:
            return None
        self._note(found.rows)
        return Repaired(
            number=number,
            saved=found.pictures,
            rebuilt=0,
            lost=(),
            aside=self._shown(aside or source),
            exact=True,
            restored=found.blocks,
        )

    def _drop_dangling(self, found: Salvage) -> None:
        """Remove the shared rows whose content is lost."""
        self._note([(one.line, one.row) for one in found.kept if one.row is not None])
        for one in [one for one in found.kept if one.row is not None and one.row.owner_segment]:
            if one.row is not None and not self._is_alive(one.row):
                found.kept.remove(one)
                found.lost.append(Lost(path=one.row.path, reason="the content that it shared is lost"))

    def _done(self, number: int, found: Salvage, source: str | None, *, after: int | None = None) -> Repaired:
        name, aside = segment_name(number), None
        if self._store.stat(name):
            aside = self._aside(number, name)
        if self._write:
            rewrite(
                self._store,
                number,
                found.kept,
                created=self._files.time_before(number) or self._now(),
                aside=aside,
                source=source,
                after=after,
            )
            self._files.moved(name, aside)
        saved = sum(not is_held(one.line) for one in found.kept)
        lost = tuple(found.lost)
        self._incomplete |= bool(lost)
        shown = self._shown(aside or source)
        return Repaired(number=number, saved=saved, rebuilt=found.rebuilt, lost=lost, aside=shown)

    def _given_back(self, number: int, orphans: set[str]) -> Repaired:
        """Make pictures of held entries to which no row refers any more: those that shared them are lost."""
        if self._write:
            segment = open_segment(self._store, number)
            kept = list(_lines_to_keep(segment, orphans))
            rewrite(self._store, number, kept, created=self._now(), identity=segment.identity)
        note = (
            f"segment {number}: {len(orphans)} deleted versions count again, under their own names: the pictures that "
            "shared their content are lost"
        )
        return Repaired(number=number, saved=len(orphans), rebuilt=0, lost=(), aside=None, note=note)

    def _shown(self, name: str | None) -> str | None:
        return None if name is None else self._store.shown(name)

    def _aside(self, number: int, source: str) -> str:
        """Return the name to keep a damaged file under; an interrupted repair may have given it one already."""
        identities = {entry.name: entry.identity for entry in self._store.entries()}
        kept = aside_names(self._store, number)
        same = (name for name in kept if identities[name] == identities.get(source))
        return next(same, next_aside(self._store, number))

    def _note(self, rows: list[tuple[bytes, Row]]) -> None:
        self._alive |= {row.place: hash(content_of(row)) for _, row in rows if not row.owner_segment}
        self._held |= {row.place for line, row in rows if is_held(line)}
        self._referred |= {row.place for _, row in rows if row.owner_segment}

    def _is_alive(self, row: Row) -> bool:
        return row.owner_segment <= row.segment and self._alive.get(row.place) == hash(content_of(row))


def _lines_to_keep(segment: Segment, orphans: set[str]) -> Iterator[Kept]:
    """Yield all of a segment, held entries of these names as pictures."""
    for line in inner_lines(segment.read_manifest()):
        if not is_row(line):
            yield Kept(line=line)
            continue
        row = segment.row(line)
        own = not row.owner_segment
        wanted = picture_line(line) if own and row.entry in orphans else line
        yield Kept(line=wanted, row=row, read=partial(segment.read, row) if own else None)


def _shared_rows(store: Store) -> Iterator[tuple[Place, Row]]:
    """Yield the shared rows that can be read, with the place that they refer to."""
    for number in segment_numbers(store):
        with suppress(ArchiveDamagedError):
            segment = open_segment(store, number)
            for line in segment.row_lines():
                if b'"owner_segment":' in line:
                    row = segment.row(line)
                    yield row.place, row
