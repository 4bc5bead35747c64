"""Options with which `compress` is cut into parts, and what they do: `--plan`, `--job`, `--shard`, `--finish`."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from batchcomp.cli import console, progress
from batchcomp.cli.completion import choice
from batchcomp.cli.options import MOST
from batchcomp.errors import UsageError
from batchcomp.places import Place
from batchcomp.report.text import count_of
from batchcomp.settings import EXECUTORS, CompressSettings, available_cores

if TYPE_CHECKING:
    from batchcomp.archive.jobs import OpenJob
    from batchcomp.pipeline.executors.base import Executor
    from batchcomp.pipeline.forecast import Forecast
    from batchcomp.pipeline.job_settings import Machine
    from batchcomp.pipeline.records import Event

_PANEL = "More than one machine"
PlanOpt = Annotated[
    bool,
    typer.Option("--plan", rich_help_panel=_PANEL, help="Compress nothing yet: write a job into the archive."),
]
PartFilesOpt = Annotated[
    int | None,
    typer.Option(
        "--part-files", min=1, max=MOST, rich_help_panel=_PANEL, help="Files in each part of a job, one segment each."
    ),
]
JobOpt = Annotated[
    str | None,
    typer.Option("--job", metavar="ID", rich_help_panel=_PANEL, help="Go on with this job; no PATH then."),
]
ShardOpt = Annotated[
    str | None,
    typer.Option("--shard", metavar="I/N", rich_help_panel=_PANEL, help="Only this share of the job: 1/16 to 16/16."),
]
FinishOpt = Annotated[
    str | None,
    typer.Option("--finish", metavar="ID", rich_help_panel=_PANEL, help="Close a job, whatever of it is missing."),
]
EngineOpt = Annotated[
    str,
    typer.Option(
        "--engine",
        metavar="NAME",
        autocompletion=choice(*EXECUTORS),
        rich_help_panel=_PANEL,
        help=f"Where the work is done: {' or '.join(EXECUTORS)}.",
    ),
]
SchedulerOpt = Annotated[
    str | None,
    typer.Option("--scheduler", metavar="ADDRESS", rich_help_panel=_PANEL, help="Of dask: tcp://HOST:8786."),
]


@dataclass(frozen=True, kw_only=True)
class Spread:
    """What was asked for of these options."""

    plan: bool = False
    part_files: int | None = None
    job: str | None = None
    shard: str | None = None
    finish: str | None = None
    engine: str = "local"
    scheduler: str | None = None

    def check(self, *, paths: bool, output: bool, given: set[str]) -> None:
        """Refuse what contradicts itself.

        Args:
            paths: whether there is a PATH.
            output: whether there is an archive.
            given: names of settings on the command line that the job says itself.

        Raises:
            UsageError: it does.
        """
        what = [f"--{name}" for name in ("plan", "job", "finish") if getattr(self, name)]
        if len(what) > 1:
            raise UsageError(f"{' and '.join(what)}: choose one of them")
        if self.shard and not self.job:
            raise UsageError("--shard: of which job? name it with --job ID, which `compress --plan` printed")
        if self.part_files and not self.plan and not self.spreads:
            raise UsageError("--part-files: there are no parts without --plan or --engine dask")
        if not self.continues:
            return
        if paths or not output:
            raise UsageError(f"{what[0]}: the job knows its PATHs; give none, and name the archive with -o ARCHIVE")
        if given:
            raise UsageError(f"{what[0]} with --{', --'.join(sorted(given))}: the job says that itself; leave it out")

    @property
    def spreads(self) -> bool:
        """Whether other processes do the work."""
        return self.engine != "local" or self.scheduler is not None

    @property
    def continues(self) -> bool:
        """Whether the job is there already."""
        return bool(self.job or self.finish)

    def executor(self) -> Executor:
        """Return what does the work, not entered yet. Raises UsageError."""
        from batchcomp.pipeline.executors import executor

        return executor(self.engine, self.scheduler or "")

    def machine(self, asked: dict[str, Any]) -> Machine:
        """What each machine is told; on a cluster there is a process a core, which works on one picture at a time."""
        from batchcomp.pipeline.job_settings import Machine

        own = {name: asked[name] for name in ("device", "jobs", "batch_size", "max_load")}
        return Machine(**{**own, "jobs": own["jobs"] or int(self.spreads)})


@contextmanager
def executor_of(engine: str, scheduler: str | None) -> Iterator[Executor | None]:
    """Hold what the work of a command is spread over; None where this process does it.

    Raises:
        UsageError: there is no such thing, or it cannot be reached.
    """
    spread = Spread(engine=engine, scheduler=scheduler)
    if not spread.spreads:
        yield None
        return
    with spread.executor() as executor:
        yield executor


def plan(settings: CompressSettings, spread: Spread, *, as_json: bool) -> int:
    """Write a job and say how it is done; the first line of stdout is its name. Returns the exit code."""
    from batchcomp.pipeline.planning import Planner

    planner = Planner(settings, part_files=spread.part_files)
    outcome = progress.watch("Planning", planner.events(), as_json=as_json)
    if (job := planner.job) is None:
        console.say("nothing to do: there is no job")
        return console.summarise(outcome, "stored", as_json=as_json, archive=str(settings.archive))
    archive, files = settings.archive, sum(job.files)
    if as_json:
        console.json_line("job", id=job.id, parts=job.parts, files=files, segments=[job.numbers[0], job.numbers[-1]])
    else:
        console.write(f"{job.id}\n")
    console.say(
        f"{count_of(files, 'file')} in {count_of(job.parts, 'part')}; next, anywhere and in any order: "
        f"`batchcomp compress -o {archive} --job {job.id} --shard 1/4` to 4/4 (or another number), "
        f"and at last `batchcomp compress -o {archive} --finish {job.id}`"
    )
    return console.summarise(outcome, "stored", as_json=as_json, archive=str(archive))


def go_on(archive: Place, spread: Spread, asked: dict[str, Any], *, as_json: bool) -> int:
    """Do what a job still lacks, or a share of it, or close it. Returns the exit code."""
    from batchcomp.archive.jobs import find_job, is_closed
    from batchcomp.memory import give_back_freed

    name = spread.job or spread.finish or ""
    if spread.finish and is_closed(archive, name) and name not in _open(archive):
        console.say(f"{archive}: job {name} is closed already")
        return 0
    job = find_job(archive, name)
    if not spread.spreads:
        give_back_freed(asked["jobs"] or available_cores())
    with ExitStack() as stack:
        events = _events(archive, job, spread, spread.machine(asked), stack)
        outcome = progress.watch("Closing" if spread.finish else "Compressing", events, as_json=as_json)
    if spread.shard:
        console.say(f"job {job.id} stays open: --finish {job.id} closes it once all shards are done")
    return console.summarise(outcome, "stored", as_json=as_json, archive=str(archive))


def over(settings: CompressSettings, spread: Spread, asked: dict[str, Any], forecast: Forecast) -> Generator[Event]:
    """Plan, do and close a job over an engine."""
    from batchcomp.pipeline.spread import compress_over

    with spread.executor() as executor:
        yield from compress_over(
            settings, executor, spread.machine(asked), part_files=spread.part_files, forecast=forecast
        )


def say_open(archive: Place, more: str = "what it takes may be stored twice") -> None:
    """Say which jobs are open, how far they are, and what follows for this run."""
    from batchcomp.archive.jobs import open_jobs
    from batchcomp.archive.part_writer import missing_parts
    from batchcomp.errors import ArchiveError

    for job in open_jobs(archive):
        with suppress(ArchiveError, OSError):  # the run itself will say what is wrong
            missing = len(missing_parts(archive, job))
            console.say(
                f"{archive}: job {job.id} is open, {missing} of {count_of(job.parts, 'part')} are missing; {more}: "
                f"go on with it by `compress -o {archive} --job {job.id}`, or close it by --finish {job.id}"
            )


def _open(archive: Place) -> list[str]:
    from batchcomp.archive.jobs import open_ids

    return open_ids(archive)


def _events(archive: Place, job: OpenJob, spread: Spread, machine: Machine, stack: ExitStack) -> Generator[Event]:
    from batchcomp.pipeline.job_settings import settings_of
    from batchcomp.pipeline.planning import finish
    from batchcomp.pipeline.spread import go_on, parts_of_shard, run_parts

    if spread.finish:
        return finish(settings_of(archive, job.settings, machine), job)
    executor = stack.enter_context(spread.executor())
    if spread.shard:
        return run_parts(archive, job, parts_of_shard(job, *_share(spread.shard)), executor, machine)
    return go_on(archive, job, executor, machine)


def _share(text: str) -> tuple[int, int]:
    """Return the two numbers of "3/16".

    Raises:
        UsageError: it is no such thing.
    """
    found = re.fullmatch(r"([0-9]{1,9})/([0-9]{1,9})", text.strip())
    shard, shards = (int(found[1]), int(found[2])) if found else (0, 0)
    if not 1 <= shard <= shards:
        raise UsageError(f"--shard {text!r}: expected 1/16 to 16/16, or of another number")
    return shard, shards
