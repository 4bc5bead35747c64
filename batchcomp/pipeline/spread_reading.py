"""`decode` and `verify` over an executor: rows a few at a time, segments one at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Final, TypeVar

from batchcomp.archive import ArchiveReader, Damage, Row, VerifyReport
from batchcomp.archive.reader import find_segments, gap_damage
from batchcomp.archive.segments import segment_name
from batchcomp.archive.store import store_of
from batchcomp.archive.verify import Owners, SegmentCheck, check_segment, owners_for
from batchcomp.codec.codec import Codec
from batchcomp.errors import PictureError
from batchcomp.images.save import check_free, safe_join
from batchcomp.pipeline.decode import Entries, restored_by
from batchcomp.pipeline.executors.base import Executor, Lost
from batchcomp.pipeline.records import Event, Failed
from batchcomp.pipeline.verify import Choose, VerifySettings, checked
from batchcomp.settings import DecodeSettings

ROWS: Final = 32  # in a task
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class _Rows:
    """Pictures to restore: their rows, and the names of their files."""

    settings: DecodeSettings
    rows: tuple[Row, ...]
    names: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class _Pictures:
    """Pictures to check."""

    settings: VerifySettings
    rows: tuple[Row, ...]


@dataclass(frozen=True, kw_only=True)
class _Segment:
    """A segment to check."""

    settings: VerifySettings
    number: int
    owners: Owners
    choose: Choose


def restored_over(executor: Executor) -> Callable[[Entries, DecodeSettings], Iterator[Event]]:
    """Return what restores entries over an executor; all workers see the same archive and the same output folder.

    What is there already is refused here. Workers may replace files: those of a worker that was lost are done again.
    """

    def restore(entries: Entries, settings: DecodeSettings) -> Iterator[Event]:
        out, refused = settings.out.resolve(), deque[Event]()
        seen = replace(settings, source=settings.source.resolve(), out=out, jobs=1, force=True)
        free = entries.rows if settings.force else _free(entries, out, refused)
        tasks = (
            _Rows(settings=seen, rows=rows, names={row.path: entries.names[row.path] for row in rows})
            for rows in _batches(free, ROWS)
        )
        with closing(executor.run(_restore, tasks)) as answers:
            for task, answer in answers:
                yield from _taken(refused)
                yield from _lost(task.rows, answer) if isinstance(answer, Lost) else answer
        yield from _taken(refused)

    return restore


def _free(entries: Entries, out: Path, refused: deque[Event]) -> Iterator[Row]:
    """Yield the rows whose files are not there yet, and note a failure for each of the others."""
    for row in entries.rows:
        try:
            check_free(safe_join(out, entries.names[row.path]))
        except PictureError as error:
            refused.append(Failed(name=row.path, reason=str(error)))
        else:
            yield row


def _taken(events: deque[Event]) -> Iterator[Event]:
    while events:
        yield events.popleft()


class VerifyOver:
    """Does the work of `verify` over an executor; see `pipeline.verify.Elsewhere`."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    def verify(self, settings: VerifySettings, choose: Choose) -> VerifyReport:
        """Check all bytes: a segment a task."""
        store = store_of(settings.archive)
        seen = replace(settings, archive=settings.archive.resolve())
        numbers = find_segments(store)
        owners = owners_for(store, numbers)
        tasks = (
            _Segment(settings=seen, number=number, owners=owners.get(number, {}), choose=choose) for number in numbers
        )
        found: dict[int, SegmentCheck] = {}
        with closing(self._executor.run(_check_segment, tasks)) as answers:
            for task, answer in answers:
                found[task.number] = _unread(task.number, answer) if isinstance(answer, Lost) else answer
        checks = [found[number] for number in numbers]
        sizes = {entry.name: entry.size for entry in store.entries()}
        return VerifyReport(
            segments=len(numbers),
            entries=sum(check.entries for check in checks),
            checked=sum(check.checked for check in checks),
            bytes=sum(sizes.get(segment_name(number), 0) for number in numbers),
            damage=(*gap_damage(store, numbers), *(damage for check in checks for damage in check.damage)),
        )

    def check_pictures(self, settings: VerifySettings, choose: Choose) -> Iterator[Event]:
        """Restore pictures in memory and compare them with what is recorded."""
        seen = replace(settings, archive=settings.archive.resolve(), sources=())
        rows = filter(choose, ArchiveReader.open(settings.archive).rows())
        tasks = (_Pictures(settings=seen, rows=batch) for batch in _batches(rows, ROWS))
        with closing(self._executor.run(_check_pictures, tasks)) as answers:
            for task, answer in answers:
                yield from _lost(task.rows, answer) if isinstance(answer, Lost) else answer


def _restore(task: _Rows) -> list[Event]:
    archive = ArchiveReader(store_of(task.settings.source), [])
    entries = Entries(archive=archive, rows=list(task.rows), names=task.names)
    return list(restored_by(_codec(task.settings.model, task.settings.device), entries, task.settings))


def _check_pictures(task: _Pictures) -> list[Event]:
    archive = ArchiveReader(store_of(task.settings.archive), [])
    return list(checked(archive, task.rows, _codec(task.settings.model, task.settings.device)))


def _check_segment(task: _Segment) -> SegmentCheck:
    return check_segment(task.settings.archive, task.number, task.owners, task.choose)


@lru_cache(maxsize=2)
def _codec(model: Path | None, device: str) -> Codec:
    """The codec that restores; loaded once by each process."""
    codec = Codec.open(model, device=device, threads=1)
    codec.prepare(restores=True)
    return codec


def _batches(items: Iterable[T], most: int) -> Iterator[tuple[T, ...]]:
    rest = iter(items)
    while batch := tuple(islice(rest, most)):
        yield batch


def _lost(rows: Iterable[Row], lost: Lost) -> Iterator[Event]:
    for row in rows:
        yield Failed(name=row.path, reason=f"{row.path}: {lost.reason}; restore it on a machine with more memory")


def _unread(number: int, lost: Lost) -> SegmentCheck:
    damage = Damage(segment=segment_name(number), entry=None, reason=f"could not be checked: {lost.reason}")
    return SegmentCheck(entries=0, checked=0, damage=(damage,))
