"""Runs over an executor: the same work as on one machine, cut into tasks that may be done twice."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

from batchcomp.archive.jobs import OpenJob
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
    """One part of a job, for a worker."""

    archive: Place
    job: OpenJob
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
    tasks = [_PartTask(archive=archive.resolve(), job=job, part=part, machine=machine) for part in parts]
    try:
        with closing(executor.run(_done, tasks)) as answers:
            for task, answer in answers:
                yield from _lost(task, answer) if isinstance(answer, Lost) else answer
    except BaseException as error:
        error.add_note(
            f"job {job.id} is open: `batchcomp compress -o {archive} --job {job.id}` goes on with it, "
            f"--finish {job.id} closes it"
        )
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
    for event in run_parts(settings.archive, job, range(1, job.parts + 1), executor, machine):
        yield planner.failures.told(event)
    yield from finish(settings, job, planner.failures)


def go_on(archive: Place, job: OpenJob, executor: Executor, machine: Machine) -> Generator[Event]:
    """Do what is left of an open job, and close it.

    Raises:
        ArchiveError, ModelError, UsageError: see `run_parts`.
    """
    yield from run_parts(archive, job, range(1, job.parts + 1), executor, machine)
    yield from finish(settings_of(archive, job.settings, machine), job)


def _done(task: _PartTask) -> list[Event]:
    return compress_part(task.archive, task.job, task.part, task.machine)


def _lost(task: _PartTask, lost: Lost) -> Iterator[Event]:
    name = segment_name(task.job.number(task.part))
    step = "one of its files may take too much memory: run this shard where there is more, or see --max-memory"
    yield Failed(name=name, reason=f"{name}: part {task.part} of job {task.job.id}: {lost.reason}; {step}", again=True)
