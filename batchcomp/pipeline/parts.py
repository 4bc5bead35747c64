"""One part of a job, from its files to its segment: what a worker does, be it a process, a machine or a cluster's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from functools import lru_cache
from pathlib import Path

from batchcomp.archive import Row, jobs
from batchcomp.archive.failures_file import Failure
from batchcomp.archive.job_failures import note_failures
from batchcomp.archive.jobs import OpenJob
from batchcomp.archive.part_writer import PartTakenError, PartWriter, content_of_part, is_stored
from batchcomp.archive.segments import segment_name
from batchcomp.codec.codec import Codec
from batchcomp.errors import ModelError
from batchcomp.images.walk import Item
from batchcomp.pipeline.compress import MAX_THREADS, by_picture, by_window
from batchcomp.pipeline.dedup import Deduplication, Shared
from batchcomp.pipeline.failures import conditions_of, failure_of, is_there
from batchcomp.pipeline.index import Index
from batchcomp.pipeline.job import Job
from batchcomp.pipeline.job_settings import Machine, items_of, settings_of
from batchcomp.pipeline.records import Event, Failed, Passed
from batchcomp.pipeline.storing import Result, events_of
from batchcomp.places import Place
from batchcomp.settings import CompressSettings

CHANGED = "changed since the job was planned; run `compress` again to take it as it is now"


def compress_part(archive: Place, job: OpenJob, part: int, machine: Machine) -> list[Event]:
    """Compress the files of a part, store its segment, and return what became of each file.

    A part that is stored already is left alone. Doing one twice, at once or after it was interrupted, leaves the same.

    Raises:
        ArchiveError: the archive cannot be written, or the job is damaged.
        ModelError: this machine has not the job's model.
    """
    items = items_of(archive, jobs.read_part(archive, job, part))
    if is_stored(archive, job, part):
        return list(_stored_before(archive, job, part, items))
    settings = settings_of(archive, job.settings, machine)
    codec = _codec(settings.model, machine, tuple(job.settings["models"]))
    index = _PartIndex(_index_before(archive, job.id, job.base))
    deduplication = Deduplication(settings, codec.hashes, index)
    flow = by_picture if codec.device.type == "cpu" else by_window
    events: list[Event] = []
    planned = {item.name: item for item in items}
    with PartWriter(archive, job, part) as writer:
        with closing(flow(settings, codec, deduplication, iter(items))) as results:
            for result in results:
                events += events_of(writer, index, _as_planned(result, planned))
        note_failures(archive, job, part, _failures(events, planned, settings))
        try:
            writer.commit()
        except PartTakenError as error:  # other parts are none the worse for it
            return [Failed(name=segment_name(job.number(part)), reason=str(error), again=True)]
    return events


def _failures(events: list[Event], planned: dict[str, Item], settings: CompressSettings) -> Iterator[Failure]:
    """Yield what is to be remembered of the files that failed as they were planned."""
    conditions = conditions_of(settings)
    for event in events:
        if isinstance(event, Failed) and not event.damage and CHANGED not in event.reason:
            item = planned[event.name]
            if item.origin is not None or is_there(item.path):
                yield failure_of(item, event, conditions)


class _PartIndex:
    """What the archive held when the job was planned, and what this part has stored since: never another part's.

    So what a part's rows refer to does not depend on which part comes first.
    """

    def __init__(self, before: Index) -> None:
        self._before = before
        self._own: dict[str, Row] = {}

    def note(self, row: Row) -> None:
        """See `KnownContent`."""
        self._own[row.source_sha256] = row

    def owners(self, sha256: str) -> Iterator[Row]:
        """See `KnownContent`."""
        if sha256 in self._own:
            yield self._own[sha256]
        else:
            yield from self._before.owners(sha256)


@lru_cache(maxsize=2)
def _index_before(archive: Place, job: str, number: int) -> Index:
    """What the archive held up to a segment when a job was planned; read once by each process."""
    del job  # a part of the key: workers may live for long, and another job may find another archive there
    return Index(archive, upto=number)


@lru_cache(maxsize=2)
def _codec(model: Path | None, machine: Machine, models: tuple[str, ...]) -> Codec:
    """The job's codec; loaded once by each process."""
    threads = min(CompressSettings(paths=(Path(),), archive=Path(), jobs=machine.jobs).workers, MAX_THREADS)
    codec = Codec.open(model, device=machine.device, batch=machine.batch_size, threads=threads)
    if codec.hashes != models:
        raise ModelError(
            f"{model or 'the shipped model'}: is not the one that the job was planned with; "
            "install the same batchcomp, and the same model file, on every machine"
        )
    return codec


def _as_planned(result: Result, planned: dict[str, Item]) -> Result:
    """Return a failure in the place of a picture whose file is not the planned one any more."""
    if isinstance(result, Job):
        name, found = result.loaded.item.name, (result.loaded.source.size, result.loaded.source.mtime_ns)
    elif isinstance(result, Shared):
        name, found = result.row.path, (result.row.source_bytes, result.row.mtime_ns)
    else:
        return result
    item = planned[name]
    return result if found == (item.size, item.mtime_ns) else Failed(name=name, reason=f"{item.where}: {CHANGED}")


def _stored_before(archive: Place, job: OpenJob, part: int, items: list[Item]) -> Iterator[Event]:
    """Yield an event for each file of a part that has its segment, whoever stored it."""
    name = segment_name(job.number(part))
    stored = {path for path, *_ in content_of_part(archive, job.number(part))}
    for item in items:
        if item.name in stored:
            yield Passed(name=item.name, reason="stored by this job before", unchanged=True)
        else:
            reason = f"{item.where}: is not in {name}, which another worker stored, or which was closed; "
            yield Failed(name=item.name, reason=f"{reason}run `compress` again to take it")
