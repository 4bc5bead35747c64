"""Cuts a `compress` run into the parts of a job, which any machine may then do, and closes the job."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from typing import Final

from batchcomp.archive import ArchiveWriter, jobs
from batchcomp.archive.job_failures import noted_failures
from batchcomp.archive.jobs import OpenJob
from batchcomp.archive.part_writer import PartTakenError, PartWriter, is_stored, missing_parts
from batchcomp.archive.promised import first_promised
from batchcomp.archive.segments import free_range, segment_name
from batchcomp.archive.store.conditional import VARIABLE, one_writer
from batchcomp.codec.codec import Codec
from batchcomp.errors import NotAPictureError, PictureError, UsageError
from batchcomp.images.load import check_head
from batchcomp.images.patterns import compile_patterns
from batchcomp.images.walk import Item
from batchcomp.pipeline.failures import FailureMemory
from batchcomp.pipeline.flow import ordered
from batchcomp.pipeline.forecast import Forecast
from batchcomp.pipeline.index import Index
from batchcomp.pipeline.job_settings import item_json, items_of, settings_json
from batchcomp.pipeline.originals import check_original
from batchcomp.pipeline.plan import Take, is_unchanged, plan
from batchcomp.pipeline.records import Event, Failed, Passed
from batchcomp.pipeline.remembered import note_settings
from batchcomp.pipeline.storing import writer_of
from batchcomp.places import Url
from batchcomp.settings import CompressSettings

MOST_FILES: Final = 256  # in a part, some ten minutes: what is done again where a worker is lost, see docs/scale.md
LEAST_FILES: Final = 32  # so that segments are not too many,
SPLIT: Final = 256  # unless that leaves fewer parts than this, which keep many workers busy to the end
LOOKING: Final = 16  # threads that read first bytes, which takes long over a network
MOST_BYTES: Final = 2**28  # of sources in a part: a segment is hardly ever larger


class Planner:
    """Plans one job. `job` is set once `events` has ended, and None where there is nothing to do.

    `failures` keeps what failed before; it waits for what becomes of the files that are taken.
    """

    def __init__(self, settings: CompressSettings, *, part_files: int | None = None) -> None:
        self._settings, self._part_files = settings, part_files
        self._takes_anything = compile_patterns(settings.verbatim)
        self.failures = FailureMemory(settings)
        self.job: OpenJob | None = None

    def events(self, forecast: Forecast | None = None) -> Generator[Event]:
        """Hold the files against the archive, open the job for those to take, and yield what became of the others.

        A `forecast` is told what is to come, and counts ahead.

        Raises:
            ArchiveError: the archive cannot be written, is damaged, or is locked by another run.
            ModelError: the model file is unusable.
            UsageError: the store bears one writer only.
        """
        if isinstance(self._settings.archive, Url) and one_writer():
            raise UsageError(
                f"{VARIABLE}: a job has many writers, which a store without conditional puts cannot keep apart; "
                "compress without a job, or use another store"
            )
        codec = Codec.open(self._settings.model, device="cpu")
        with writer_of(self._settings) as writer:
            note_settings(writer, self._settings)
            items, index = [], Index(self._settings.archive)
            if forecast is not None:
                forecast.count(self._settings, partial(is_unchanged, index, self._settings))
            steps = plan(self._settings, codec.hashes, index, self.failures)
            with closing(ordered(steps, self._looked_at, lambda _: 0, threads=LOOKING, heaviest=1)) as looked_at:
                for found in looked_at:
                    if isinstance(found, Item):
                        items.append(found)
                    else:
                        yield self.failures.told(found)
            self.failures.save(writer, complete=False)
            if items:
                self.job = self._opened(writer, items, codec.hashes)

    def _looked_at(self, step: Take | Event) -> Item | Event:
        """Leave out what is no picture by its first bytes: a job should have something to do."""
        if not isinstance(step, Take):
            return step
        item = step.item
        if not self._takes_anything(item.name):
            try:
                check_original(item) if item.origin is not None else check_head(item.path)
            except NotAPictureError as error:
                return Passed(name=item.name, reason=str(error))
            except PictureError:
                return item  # a worker will say what is wrong
        return item

    def _opened(self, writer: ArchiveWriter, items: list[Item], models: Iterable[str]) -> OpenJob:
        folder = self._settings.archive
        parts = list(cut(items, self._part_files or sensible_files(len(items))))
        lines = jobs.part_lines([item_json(item) for item in part] for part in parts)
        created = datetime.now(UTC).replace(microsecond=0)
        last = writer.last_number()
        job = OpenJob(
            id=jobs.new_id(created),
            created=created,
            after=last,
            base=last if (promised := first_promised(folder)) is None else promised - 1,
            first=free_range(folder, last, len(parts)),
            files=tuple(map(len, parts)),
            spans=jobs.spans_of(lines),
            settings=settings_json(self._settings, models),
        )
        jobs.write_job(folder, job, lines)
        return job


def sensible_files(count: int) -> int:
    """Return how many files a part should take of so many."""
    return min(MOST_FILES, max(LEAST_FILES, -(-count // SPLIT)))


def cut(items: Iterable[Item], files: int, most_bytes: int = MOST_BYTES) -> Iterator[list[Item]]:
    """Yield the parts: at most so many files and bytes of sources each, though always one file.

    Files of the same size follow one another, since they may have the same content: in one part it is stored once.
    """
    alike: dict[int, list[Item]] = {}
    for item in items:
        alike.setdefault(item.size, []).append(item)
    part: list[Item] = []
    weight = 0
    for item in (item for group in alike.values() for item in group):
        if part and (len(part) == files or weight + item.size > most_bytes):
            yield part
            part, weight = [], 0
        part.append(item)
        weight += item.size
    if part:
        yield part


def finish(settings: CompressSettings, job: OpenJob, failures: FailureMemory | None = None) -> Generator[Event]:
    """Close a job: put an empty segment under each number that has none, so that a late worker fails clearly.

    Yields a failure for each part that was abandoned. Recovery data is written for all that lack it.

    Args:
        settings: the job's, see `settings_of`.
        job: what to close.
        failures: what failed while its parts were done, to be remembered; by default what the parts have noted.

    Raises:
        ArchiveError: the archive cannot be written, or is locked by another run.
    """
    folder = settings.archive
    with writer_of(settings) as writer:
        for part in missing_parts(folder, job):
            name = segment_name(job.number(part))
            if _abandoned(settings, job, part):
                reason = f"{name}: part {part} of job {job.id} was not done: {job.files[part - 1]} files; "
                yield Failed(name=name, reason=f"{reason}run `compress` again to take them", again=True)
        note_settings(writer, settings)
        if failures is not None:
            failures.save(writer, complete=True)
        else:
            _gathered(settings, job).save(writer, complete=False)
        writer.commit()
        for damage in writer.catch_up():
            yield Failed(name=damage.segment, reason=f"{damage}; run `repair`", damage=True)
        jobs.close_job(folder, job)


def _gathered(settings: CompressSettings, job: OpenJob) -> FailureMemory:
    """Return what failed in the parts of a job, beside what failed before and was not done anew."""
    memory, failed = FailureMemory(settings), noted_failures(settings.archive, job)
    memory.settle((), failed)
    if not memory.is_empty:
        for part in range(1, job.parts + 1):
            memory.settle(items_of(settings.archive, jobs.read_part(settings.archive, job, part)), failed)
    return memory


def _abandoned(settings: CompressSettings, job: OpenJob, part: int) -> bool:
    """Take the number of a part; False where a worker stored it at the last moment."""
    with PartWriter(settings.archive, job, part) as writer:
        try:
            return writer.commit()
        except PartTakenError:
            if is_stored(settings.archive, job, part):
                return False
            raise
