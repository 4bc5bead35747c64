"""Drops superseded versions, and pictures whose originals are gone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial

from batchcomp.archive.claims import claim_of
from batchcomp.archive.growing import checked_line, utc_now
from batchcomp.archive.jobs import check_no_job
from batchcomp.archive.lock import await_first_segment, locked
from batchcomp.archive.manifest import MAX_MANIFEST, held_line, inner_lines, is_held, is_row
from batchcomp.archive.reader import ArchiveReader, find_segments
from batchcomp.archive.retention import Keep
from batchcomp.archive.rewrite import Kept, check_kind, rewrite
from batchcomp.archive.rows import Row
from batchcomp.archive.segment import Segment, open_segment
from batchcomp.archive.segments import segment_name
from batchcomp.archive.store import Location, Store, store_of
from batchcomp.errors import ArchiveDamagedError, UsageError

SUPERSEDED, GONE = "superseded", "the original is gone"
REFUSAL = "nothing more is pruned while something is damaged: first `batchcomp repair {}`"
_Place = tuple[int, str]  # a segment's number and an entry in it
_Mark = tuple[int, int]  # a segment's number, and which of its lines


@dataclass(frozen=True, kw_only=True)
class Dropped:
    """A version of a picture that `prune` drops, and why."""

    row: Row
    reason: str


@dataclass(frozen=True, kw_only=True)
class Stays:
    """A version of a picture that has others, and the rules that keep it."""

    row: Row
    reason: str


@dataclass(frozen=True, kw_only=True)
class PruneReport:
    """What `prune` did, or would do. `bytes_freed` is 0 in a dry run; `refusal` says why it would do nothing."""

    dropped: tuple[Dropped, ...]
    stays: tuple[Stays, ...]
    rewritten: tuple[int, ...]  # numbers of the segments
    bytes_freed: int
    refusal: str = ""


def prune(  # noqa: PLR0913  # settings of one run, all by keyword
    where: Location,
    *,
    keep_last: int = 1,
    keep: Keep | None = None,
    gone: Callable[[str], bool] = lambda _path: False,
    max_drop: float = 100,
    dry_run: bool = False,
    lock_wait: float = 0,
    now: Callable[[], datetime] = utc_now,
    on_segment: Callable[[int, int], None] = lambda _done, _total: None,
) -> PruneReport:
    """Keep the last `keep_last` versions of each path, and nothing of the paths for which `gone` is true.

    Content that a kept row shares stays, as a held entry. Old versions of a path are dropped only after those that
    stay have been read and found sound. Segments are rewritten one at a time, each replaced in one step, the earlier
    ones first: whenever this is interrupted, what is current reads as before or as after, as a whole. Entries that rows
    still refer to go last. Run again to go on.

    Args:
        where: The archive's folder, or address.
        keep_last: How many versions of each path stay.
        keep: Other rules, instead.
        gone: Tells of a path whether its original is gone.
        max_drop: Percent of the pictures that may go with all their versions; a single one may go if others stay,
            unless this is 0.
        dry_run: Write nothing.
        lock_wait: In seconds.
        now: The time for segments that have none.
        on_segment: Is called with how many segments are rewritten, and of how many, before each and at the end.

    Raises:
        UsageError: `keep_last` is less than 1, or too many pictures would go.
        ArchiveDamagedError: something is damaged; nothing more was dropped.
        ArchiveLockedError, ArchiveNotFoundError, ArchiveError: see `locked` and `ArchiveReader.open`.
    """
    keep = keep or Keep(last=keep_last)
    store = store_of(where)
    await_first_segment(store, lock_wait)
    find_segments(store)
    if dry_run:
        plan = _Plan(store, keep, gone)
        return replace(plan.report((), 0), refusal=plan.refusal(max_drop))
    with locked(store, lock_wait):
        check_no_job(store, "what its parts refer to could go")
        plan = _Plan(store, keep, gone)
        if refusal := plan.refusal(max_drop):
            raise UsageError(refusal)
        before = plan.archive.bytes_on_disk()
        rewritten = tuple(plan.carry_out(now, on_segment))
        return plan.report(rewritten, before - plan.archive.bytes_on_disk())


class _Plan:
    """What is dropped and what stays, in a few numbers a row."""

    def __init__(self, store: Store, keep: Keep, gone: Callable[[str], bool]) -> None:
        self.archive = ArchiveReader.open(store)
        if self.archive.damage:
            raise ArchiveDamagedError(f"{self.archive.damage[0]}; {REFUSAL.format(store)}")
        self._store = store
        self._numbers = find_segments(store)
        self._times: dict[int, datetime] = {}
        self._dropped: dict[_Mark, Dropped] = {}
        self._stays: list[Stays] = []
        self._choose(keep, gone)
        self._needed: set[_Place] = set()  # by rows that stay
        self._late: dict[_Place, int] = {}  # the last segment with a row that refers to it and is to be dropped
        for mark, row in self._rows():
            if row.owner_segment and mark not in self._dropped:
                self._needed.add(row.place)
            elif row.owner_segment:
                self._late[row.place] = mark[0]

    def report(self, rewritten: tuple[int, ...], freed: int) -> PruneReport:
        """Return what the plan comes to."""
        dropped = tuple(self._dropped[mark] for mark in sorted(self._dropped))
        return PruneReport(dropped=dropped, stays=tuple(self._stays), rewritten=rewritten, bytes_freed=freed)

    def refusal(self, max_drop: float) -> str:
        """Say why nothing is dropped where more than `max_drop` percent of the pictures would go, else ""."""
        if all(one.reason != GONE for one in self._dropped.values()):
            return ""
        paths: dict[str, bool] = {}  # whether a version stays
        for mark, row in self._rows():
            paths[row.path] = paths.get(row.path, False) or mark not in self._dropped
        going, count = sum(not stays for stays in paths.values()), len(paths)
        most = count if max_drop >= 100 else min(max(int(count * max_drop / 100), max_drop > 0), count - 1)
        if going <= most:
            return ""
        pictures = "picture" if count == 1 else "pictures"
        return (
            f"{self._store}: {going} of {count} {pictures} would go for good, at most {max_drop:g} % may; "
            "look at them with --dry-run, and pass --yes if they are meant to go"
        )

    def carry_out(self, now: Callable[[], datetime], on_segment: Callable[[int, int], None]) -> list[int]:
        """Rewrite the segments that change; return their numbers.

        Rows are dropped from the first segment to the last, so that no older version of a path comes to light. What a
        row in a later segment refers to is held until that row is gone, and dropped after all.
        """
        self._check_survivors()
        self._gather(now)
        rewritten = set(self._pass(now, on_segment))
        self._dropped_marks.clear()  # all done; lines have other places now
        self._late.clear()
        return sorted(rewritten | set(self._pass(now, on_segment)))

    def _gather(self, now: Callable[[], datetime]) -> None:
        """Repeat the current rows of all paths that go in the last segment, so that they go in one step, with it."""
        last, wanted = self._numbers[-1], set(self._going)
        if len({number for number, _ in wanted}) < 2:
            return
        segment = open_segment(self._store, last)
        there = [Kept(line=line) if row is None else self._as_it_is(segment, line, row) for line, row in _all(segment)]
        rows = [row for mark, row in self._rows() if mark in wanted and mark[0] != last]
        copies = [replace(row, owner_segment=row.place[0], segment=last) for row in rows]
        for row in [*(one.row for one in there if one.row is not None), *copies]:
            check_kind(row, segment.name)
        more = [Kept(line=checked_line(row), row=row) for row in copies]
        if sum(len(one.line) for one in [*there, *more]) > MAX_MANIFEST // 2:
            return  # too many for one segment: they go a path at a time
        with _refusing(self._store):
            rewrite(self._store, last, [*there, *more], created=now(), identity=segment.identity)
        self._dropped_marks |= {(last, len(there) + index) for index in range(len(more))}
        self._late |= dict.fromkeys((row.place for row in copies), last)

    @staticmethod
    def _as_it_is(segment: Segment, line: bytes, row: Row) -> Kept:
        return Kept(line=line, row=row, read=None if row.owner_segment else partial(segment.read, row))

    def _pass(self, now: Callable[[], datetime], on_segment: Callable[[int, int], None]) -> Iterator[int]:
        segments = (open_segment(self._store, number) for number in self._numbers)
        changing = [segment for segment in segments if self._changes(segment)]
        for done, segment in enumerate(changing):
            on_segment(done, len(changing))
            with _refusing(self._store):
                kept = self._kept(segment)
                rewrite(self._store, segment.number, kept, created=now(), identity=segment.identity)
            yield segment.number

    def _choose(self, keep: Keep, gone: Callable[[str], bool]) -> None:
        versions: dict[str, list[_Mark]] = {}
        for mark, row in self._rows():
            versions.setdefault(row.path, []).append(mark)
        reasons: dict[_Mark, str] = {}
        staying: dict[_Mark, str] = {}
        self._going: list[_Mark] = []  # current rows of the paths that go
        for path, marks in versions.items():
            if gone(path):
                reasons |= dict.fromkeys(marks, GONE)
                self._going.append(marks[-1])
            elif len(marks) > 1:
                kept = keep.reasons([self._time(number) for number, _ in marks])
                staying |= {marks[index]: reason for index, reason in kept.items()}
                reasons |= {mark: SUPERSEDED for mark in marks if mark not in staying}
        for mark, row in self._rows():
            if mark in reasons:
                self._dropped[mark] = Dropped(row=row, reason=reasons[mark])
            elif mark in staying:
                self._stays.append(Stays(row=row, reason=staying[mark]))
        self._dropped_marks = set(self._dropped)

    def _time(self, number: int) -> datetime:
        """Return when a segment was written; what does not say so counts as old."""
        if number not in self._times:
            claim = claim_of(self._store, segment_name(number))
            self._times[number] = (claim.created if claim else None) or datetime.min.replace(tzinfo=UTC)
        return self._times[number]

    def _rows(self) -> Iterator[tuple[_Mark, Row]]:
        """Yield the pictures' rows; a damaged one stops everything, since it may be the current one."""
        for number in self._numbers:
            segment = open_segment(self._store, number)
            for mark, line in _lines(segment):
                if is_row(line) and not is_held(line):
                    with _refusing(self._store):
                        row = segment.row(line)
                    yield mark, row

    def _check_survivors(self) -> None:
        """Read the versions that stay of each path that loses some: a dropped one might be the only sound one."""
        losing = {one.row.path for one in self._dropped.values() if one.reason == SUPERSEDED}
        for mark, row in self._rows():
            if row.path in losing and mark not in self._dropped:
                with _refusing(self._store):
                    self.archive.read(row)

    def _changes(self, segment: Segment) -> bool:
        kept = list(self._kept(segment))
        for one in kept:
            if one.row is not None:
                check_kind(one.row, segment.name)
        return [one.line for one in kept] != [line for _, line in _lines(segment)]

    def _kept(self, segment: Segment) -> Iterator[Kept]:
        for mark, line in _lines(segment):
            if not is_row(line):
                yield Kept(line=line)
                continue
            row = segment.row(line)
            needed = row.place in self._needed or self._late.get(row.place, 0) > segment.number
            if mark not in self._dropped_marks and not is_held(line):
                yield self._as_it_is(segment, line, row)
            elif needed and not row.owner_segment:
                yield Kept(line=held_line(line), row=row, read=partial(segment.read, row))


def _lines(segment: Segment) -> Iterator[tuple[_Mark, bytes]]:
    for index, line in enumerate(inner_lines(segment.read_manifest())):
        yield (segment.number, index), line


def _all(segment: Segment) -> Iterator[tuple[bytes, Row | None]]:
    """Yield every line, and the row in it."""
    for _, line in _lines(segment):
        yield line, segment.row(line) if is_row(line) else None


@contextmanager
def _refusing(store: Store) -> Iterator[None]:
    try:
        yield
    except ArchiveDamagedError as error:
        raise ArchiveDamagedError(f"{error}; {REFUSAL.format(store)}") from error
