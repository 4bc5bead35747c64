"""Drops superseded versions, and pictures whose originals are gone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

from batchcomp.archive.growing import checked_line, utc_now
from batchcomp.archive.lock import await_first_segment, locked
from batchcomp.archive.manifest import MAX_MANIFEST, held_line, is_held, is_row
from batchcomp.archive.promised import refused_by_job
from batchcomp.archive.reader import ArchiveReader, find_segments
from batchcomp.archive.retention import Keep
from batchcomp.archive.rewrite import Kept, check_kind, rewrite
from batchcomp.archive.rows import Row
from batchcomp.archive.segment import Segment, open_segment
from batchcomp.archive.store import Location, Store, store_of
from batchcomp.archive.survey import Mark, Survey, Surveyed, lines_of, refusing
from batchcomp.errors import UsageError

SUPERSEDED, GONE = "superseded", "the original is gone"


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
    survey: Callable[[Store], Surveyed] | None = None,
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
        survey: What a dry run decides by; by default, and where something is dropped, the manifests.
        on_segment: Is called with how many segments are rewritten, and of how many, before each.

    Raises:
        UsageError: `keep_last` is less than 1, too many pictures would go, or a job is open.
        ArchiveDamagedError: something is damaged; nothing more was dropped.
        ArchiveLockedError, ArchiveNotFoundError, ArchiveError: see `locked` and `ArchiveReader.open`.
    """
    keep = keep or Keep(last=keep_last)
    store = store_of(where)
    await_first_segment(store, lock_wait)
    find_segments(store)
    if dry_run:
        looked = (survey or Survey)(store)
        choice = _chosen(looked, keep, gone)
        return replace(choice.report(looked), refusal=refused_by_job(store) or choice.refusal(store, max_drop))
    with locked(store, lock_wait):
        found = Survey(store)
        choice = _chosen(found, keep, gone)
        if refusal := refused_by_job(store) or choice.refusal(store, max_drop):
            raise UsageError(refusal)
        plan = _Plan(store, found, choice)
        before = plan.archive.bytes_on_disk()
        rewritten = tuple(plan.carry_out(now, on_segment))
        return replace(plan.report, rewritten=rewritten, bytes_freed=before - plan.archive.bytes_on_disk())


def _chosen(survey: Surveyed, keep: Keep, gone: Callable[[str], bool]) -> _Choice:
    """Decide of each version."""
    found = _Choice()
    for path, marks in survey.versions():
        found.pictures += 1
        if gone(path):
            found.dropped |= dict.fromkeys(marks, GONE)
            found.going.append(marks[-1])
        elif len(marks) > 1:
            kept = keep.reasons([survey.created(number) for number, _ in marks])
            staying = {marks[index]: reason for index, reason in kept.items()}
            found.staying |= staying
            found.dropped |= {mark: SUPERSEDED for mark in marks if mark not in staying}
    return found


@dataclass(kw_only=True)
class _Choice:
    """What goes and what stays, of the versions that have others, and why.

    `going` are the current versions of the paths that go, `pictures` is the number of all paths.
    """

    dropped: dict[Mark, str] = field(default_factory=dict)
    staying: dict[Mark, str] = field(default_factory=dict)
    going: list[Mark] = field(default_factory=list)
    pictures: int = 0

    def report(self, survey: Surveyed) -> PruneReport:
        """Return what this comes to."""
        rows = survey.rows([*self.dropped, *self.staying])
        return PruneReport(
            dropped=tuple(Dropped(row=rows[mark], reason=self.dropped[mark]) for mark in sorted(self.dropped)),
            stays=tuple(Stays(row=rows[mark], reason=self.staying[mark]) for mark in sorted(self.staying)),
            rewritten=(),
            bytes_freed=0,
        )

    def refusal(self, store: Store, max_drop: float) -> str:
        """Say why nothing is dropped where more than `max_drop` percent of the pictures would go, else ""."""
        going, count = len(self.going), self.pictures
        if not going:
            return ""
        most = count if max_drop >= 100 else min(max(int(count * max_drop / 100), max_drop > 0), count - 1)
        if going <= most:
            return ""
        pictures = "picture" if count == 1 else "pictures"
        return (
            f"{store}: {going} of {count} {pictures} would go for good, at most {max_drop:g} % may; "
            "look at them with --dry-run, and pass --yes if they are meant to go"
        )


class _Plan:
    """Carries out a choice."""

    def __init__(self, store: Store, survey: Survey, choice: _Choice) -> None:
        self.archive = ArchiveReader(store, [])
        self.report = choice.report(survey)
        self._store, self._survey, self._choice = store, survey, choice
        self._marks = set(choice.dropped)
        self._needed = {place for mark, place in survey.sharing.items() if mark not in choice.dropped}
        # of an entry: the last segment with a row that refers to it and is to be dropped
        self._late = {place: mark[0] for mark, place in survey.sharing.items() if mark in choice.dropped}
        self._touched = survey.held | {number for number, _ in choice.dropped}

    def carry_out(self, now: Callable[[], datetime], on_segment: Callable[[int, int], None]) -> list[int]:
        """Rewrite the segments that change; return their numbers.

        Rows are dropped from the first segment to the last, so that no older version of a path comes to light. What a
        row in a later segment refers to is held until that row is gone, and dropped after all.
        """
        self._check_survivors()
        self._gather(now)
        rewritten = set(self._pass(now, on_segment))
        self._marks.clear()  # all done; lines have other places now
        self._late.clear()
        return sorted(rewritten | set(self._pass(now, on_segment)))

    def _gather(self, now: Callable[[], datetime]) -> None:
        """Repeat the current rows of all paths that go in the last segment, so that they go in one step, with it."""
        last, wanted = self._survey.numbers[-1], set(self._choice.going)
        if len({number for number, _ in wanted}) < 2:
            return
        segment = open_segment(self._store, last)
        there = [Kept(line=line) if row is None else self._as_it_is(segment, line, row) for line, row in _all(segment)]
        rows = self._survey.rows(mark for mark in wanted if mark[0] != last).values()
        copies = [replace(row, owner_segment=row.place[0], segment=last) for row in rows]
        for row in [*(one.row for one in there if one.row is not None), *copies]:
            check_kind(row, segment.name)
        more = [Kept(line=checked_line(row), row=row) for row in copies]
        if sum(len(one.line) for one in [*there, *more]) > MAX_MANIFEST // 2:
            return  # too many for one segment: they go a path at a time
        with refusing(self._store):
            rewrite(self._store, last, [*there, *more], created=now(), identity=segment.identity)
        self._touched.add(last)
        self._marks |= {(last, len(there) + index) for index in range(len(more))}
        self._late |= dict.fromkeys((row.place for row in copies), last)

    @staticmethod
    def _as_it_is(segment: Segment, line: bytes, row: Row) -> Kept:
        return Kept(line=line, row=row, read=None if row.owner_segment else partial(segment.read, row))

    def _pass(self, now: Callable[[], datetime], on_segment: Callable[[int, int], None]) -> Iterator[int]:
        segments = (open_segment(self._store, number) for number in sorted(self._touched))
        changing = [segment for segment in segments if self._changes(segment)]
        for done, segment in enumerate(changing):
            on_segment(done, len(changing))
            with refusing(self._store):
                kept = self._kept(segment)
                rewrite(self._store, segment.number, kept, created=now(), identity=segment.identity)
            yield segment.number

    def _check_survivors(self) -> None:
        """Read the versions that stay of each path that loses some: a dropped one might be the only sound one."""
        losing = {one.row.path for one in self.report.dropped if one.reason == SUPERSEDED}
        for stays in self.report.stays:
            if stays.row.path in losing:
                with refusing(self._store):
                    self.archive.read(stays.row)

    def _changes(self, segment: Segment) -> bool:
        kept = list(self._kept(segment))
        for one in kept:
            if one.row is not None:
                check_kind(one.row, segment.name)
        return [one.line for one in kept] != [line for _, line in lines_of(segment)]

    def _kept(self, segment: Segment) -> Iterator[Kept]:
        for mark, line in lines_of(segment):
            if not is_row(line):
                yield Kept(line=line)
                continue
            row = segment.row(line)
            needed = row.place in self._needed or self._late.get(row.place, 0) > segment.number
            if mark not in self._marks and not is_held(line):
                yield self._as_it_is(segment, line, row)
            elif needed and not row.owner_segment:
                yield Kept(line=held_line(line), row=row, read=partial(segment.read, row))


def _all(segment: Segment) -> Iterator[tuple[bytes, Row | None]]:
    """Yield every line, and the row in it."""
    for _, line in lines_of(segment):
        yield line, segment.row(line) if is_row(line) else None
