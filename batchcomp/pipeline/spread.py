"""Runs over an executor: the same work as on one machine, cut into tasks that may be done twice."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import lru_cache

from batchcomp.archive.jobs import OpenJob, find_job
from batchcomp.archive.segments import segment_name
from batchcomp.pipeline.executors.base import Executor, Lost
from batchcomp.pipeline.forecast import Forecast
from batchcomp.pipeline.job_settings import Machine, settings_of
from batchcomp.pipeline.parts import compress_part
from batchcomp.pipeline.planning import Planner, finish
from batchcomp.pipeline.records import Event, Failed
from batchcomp.places import Place
from batchcomp.settings import CompressSettings


@dataclass(frozen=True, kw_only=True)
class _PartTask:
    """One part of a job, for a worker, which reads the job itself: with all its parts it may be large."""

    archive: Place
    job: str
    part: int
    machine: Machine


def parts_of_shard(job: OpenJob, shard: int, shards: int) -> list[int]:
    """Return the parts that shard number `shard`, 1 to `shards`, does."""
    return list(range(shard, job.parts + 1, shards))


def run_parts(
    archive: Place, job: OpenJob, parts: Sequence[int], executor: Executor, machine: Machine
) -> Generator[Event]:
    """Do parts of a job that is open, and yield what became of each file, a part at a time.

    Raises:
        ArchiveError, ModelError, UsageError: see `compress_part` and `Executor`.
    """
    where = archive.resolve()
    tasks = (_PartTask(archive=where, job=job.id, part=part, machine=machine) for part in parts)
    with _told_if_left_open(archive, job), closing(executor.run(_done, tasks)) as answers:
        for task, answer in answers:
            yield from _lost(job, task.part, answer) if isinstance(answer, Lost) else answer


@contextmanager
def _told_if_left_open(archive: Place, job: OpenJob) -> Iterator[None]:
    """Whatever ends the run before the job is closed gets a note that says how to go on."""
    try:
        yield
    except (Exception, KeyboardInterrupt) as error:
        note = f"job {job.id} is open: `batchcomp compress -o {archive} --job {job.id}` goes on with it, "
        note += f"--finish {job.id} closes it"
        if note not in getattr(error, "__notes__", ()):
            error.add_note(note)
        raise


def compress_over(
    settings: CompressSettings,
    executor: Executor,
    machine: Machine,
    *,
    part_files: int | None = None,
    forecast: Forecast | None = None,
) -> Generator[Event]:
    """Plan a job, do all its parts over an executor, and close it. Yields what became of each file.

    A `forecast` is told what is to come, and counts ahead while the parts are done.

    Raises:
        ArchiveError, ModelError, UsageError: see `Planner` and `run_parts`; the job stays open then.
    """
    planner = Planner(settings, part_files=part_files)
    yield from planner.events(forecast)
    if planner.job is None:
        return
    job = planner.job
    with _told_if_left_open(settings.archive, job):
        for event in run_parts(settings.archive, job, range(1, job.parts + 1), executor, machine):
            yield planner.failures.told(event)
        yield from finish(settings, job, planner.failures)


def go_on(archive: Place, job: OpenJob, executor: Executor, machine: Machine) -> Generator[Event]:
    """Do what is left of an open job, and close it.

    Raises:
        ArchiveError, ModelError, UsageError: see `run_parts`.
    """
    with _told_if_left_open(archive, job):
        yield from run_parts(archive, job, range(1, job.parts + 1), executor, machine)
        yield from finish(settings_of(archive, job.settings, machine), job)


def _done(task: _PartTask) -> list[Event]:
    return compress_part(task.archive, _job(task.archive, task.job), task.part, task.machine)


@lru_cache(maxsize=4)
def _job(archive: Place, name: str) -> OpenJob:
    """Return an open job; read once by each process."""
    return find_job(archive, name)


def _lost(job: OpenJob, part: int, lost: Lost) -> Iterator[Event]:
    name = segment_name(job.number(part))
    step = "one of its files may take too much memory: run this shard where there is more, or see --max-memory"
    yield Failed(name=name, reason=f"{name}: part {part} of job {job.id}: {lost.reason}; {step}", again=True)
