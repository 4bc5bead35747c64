"""`batchcomp compress`."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Annotated, Any

import typer

from batchcomp.cli import console, goals, limits, progress
from batchcomp.cli import jobs as jobs_options
from batchcomp.cli.closing import say_passed_over
from batchcomp.cli.completion import archives
from batchcomp.cli.foreign import say_foreign
from batchcomp.cli.options import (
    WHICH,
    BatchOpt,
    DeviceOpt,
    JobsOpt,
    JsonOpt,
    LockWaitOpt,
    MaxLoadOpt,
    ModelOpt,
    batch_size,
)
from batchcomp.cli.starting import starting
from batchcomp.memory import give_back_freed
from batchcomp.places import Place, place
from batchcomp.settings import DEFAULT_QUALITY, QUICK, check_archive_name, default_archive

if TYPE_CHECKING:
    from batchcomp.pipeline.records import Outcome
    from batchcomp.pipeline.remembered import Settled


def compress(
    ctx: typer.Context,
    paths: Annotated[  # of `Place`: typer takes no unions
        list[Any] | None,
        typer.Argument(help="Folders of photos, or photos; or one address.", metavar="PATH", parser=place),
    ] = None,
    output: Annotated[
        Any,
        typer.Option(
            "--output",
            "-o",
            metavar="ARCHIVE",
            help="The archive; by default FOLDER.bca beside the folder.",
            autocompletion=archives,
            parser=place,
        ),
    ] = None,
    quality: Annotated[
        int, typer.Option("--quality", "-q", metavar="Q", min=1, max=100, help="1 (smallest) to 100 (best).")
    ] = DEFAULT_QUALITY,
    match_jpeg: goals.MatchJpegOpt = None,
    match_jpeg_bytes: goals.MatchBytesOpt = None,
    target_ms_ssim: goals.MsSsimOpt = None,
    target_ssimulacra2: goals.EyeOpt = None,
    max_bpp: goals.MaxBppOpt = None,
    max_bytes: goals.MaxBytesOpt = None,
    codec: goals.CodecOpt = "jpeg",
    pack: goals.PackOpt = False,
    effort: goals.EffortOpt = 0,
    device: DeviceOpt = "auto",
    jobs: JobsOpt = 0,
    batch: BatchOpt = "auto",
    model: ModelOpt = None,
    include: limits.IncludeOpt = None,
    exclude: limits.ExcludeOpt = None,
    verbatim: limits.VerbatimOpt = None,
    follow_symlinks: limits.FollowOpt = False,
    measure: goals.MeasureOpt = QUICK,
    no_measure: goals.NoMeasureOpt = False,
    recompress: Annotated[
        bool,
        typer.Option(
            "--recompress",
            rich_help_panel=WHICH,
            help="Compress unchanged pictures again that are stored with other settings.",
        ),
    ] = False,
    retry: Annotated[
        bool,
        typer.Option("--retry", rich_help_panel=WHICH, help="Try again what failed before and did not change."),
    ] = False,
    checksum: Annotated[
        bool,
        typer.Option(
            "--checksum", rich_help_panel=WHICH, help="Tell changed files by their content, not by size and time."
        ),
    ] = False,
    lock_wait: LockWaitOpt = 0,
    max_load: MaxLoadOpt = None,
    isolate: limits.IsolateOpt = True,
    max_pixels: limits.MaxPixelsOpt = limits.MAX_PIXELS,
    max_side: limits.MaxSideOpt = limits.MAX_SIDE,
    max_source: limits.MaxBytesOpt = limits.MAX_BYTES,
    max_metadata: limits.MaxMetadataOpt = limits.MAX_METADATA,
    max_seconds: limits.MaxSecondsOpt = limits.MAX_SECONDS,
    max_memory: limits.MaxMemoryOpt = limits.MAX_MEMORY,
    parity: goals.ParityOpt = None,
    plan: jobs_options.PlanOpt = False,
    part_files: jobs_options.PartFilesOpt = None,
    job: jobs_options.JobOpt = None,
    shard: jobs_options.ShardOpt = None,
    finish: jobs_options.FinishOpt = None,
    engine: jobs_options.EngineOpt = "local",
    scheduler: jobs_options.SchedulerOpt = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and why.")] = False,
    as_json: JsonOpt = False,
) -> None:
    """Compress photos into an archive. Unchanged ones that it already holds are passed over.

    What an archive was last written with it remembers (quality, target, model, packing, ...) until it is given anew.
    """
    asked: dict[str, Any] = {
        "paths": tuple(paths or ()),
        "quality": quality,
        "target": goals.target_of(
            match_jpeg,
            match_jpeg_bytes,
            target_ms_ssim,
            target_ssimulacra2,
            max_bpp,
            goals.bytes_of(max_bytes),
            given=_given(ctx),
        ),
        "codec": codec,
        "pack": pack,
        "effort": effort,
        "device": device,
        "jobs": jobs,
        "batch_size": batch_size(batch),
        "model": model,
        "include": tuple(include or ()),
        "exclude": tuple(exclude or ()),
        "measure": goals.measure_of(ctx, measure, no_measure=no_measure),
        "verbatim": tuple(verbatim or ()),
        "follow_symlinks": follow_symlinks,
        "isolate": isolate,
        "limits": limits.limits_of(
            pixels=max_pixels,
            side=max_side,
            size=max_source,
            metadata=max_metadata,
            seconds=max_seconds,
            memory=max_memory,
        ),
        "max_load": max_load,
        "recompress": recompress,
        "retry": retry,
        "checksum": checksum,
        "lock_wait": lock_wait,
        "parity": goals.parity_of(parity),
    }
    with starting("Planning" if dry_run else "Compressing"):
        from batchcomp.pipeline.compress import compress_archive, plan_archive
        from batchcomp.pipeline.forecast import Forecast
        from batchcomp.pipeline.remembered import settle

    spread = jobs_options.Spread(
        plan=plan, part_files=part_files, job=job, shard=shard, finish=finish, engine=engine, scheduler=scheduler
    )
    spread.check(paths=bool(paths), output=output is not None, given=_where_from(ctx)[0])
    if output is not None and spread.continues:
        raise typer.Exit(jobs_options.go_on(output, spread, asked, as_json=as_json))
    archive: Place = output or default_archive(asked["paths"])
    check_archive_name(archive)
    settled = settle(archive, asked, *_where_from(ctx))
    settings = settled.settings
    _say_first(settled)
    say_foreign(archive)
    jobs_options.say_open(archive)
    if plan and not dry_run:
        raise typer.Exit(jobs_options.plan(settings, spread, as_json=as_json))
    with Forecast() as forecast:
        if dry_run:
            events = plan_archive(settings, forecast)
        elif spread.spreads:
            events = jobs_options.over(settings, spread, asked, forecast)
        else:
            give_back_freed(settings.workers)
            events = compress_archive(settings, forecast)
        title = "Planning" if dry_run else "Compressing"
        outcome = progress.watch(title, events, as_json=as_json, forecast=forecast, must_finish=not dry_run)
    if not dry_run and outcome.counts["done"]:
        _finish(archive, outcome.source_bytes, outcome.payload_bytes, as_json=as_json)
    if not outcome.counts.total():
        console.say("no files found below PATH; look at --include and --exclude")
    say_passed_over(outcome)
    _say_left(settled, outcome)
    verb = "would be stored" if dry_run else "stored"
    code = console.summarise(outcome, verb, as_json=as_json, archive=str(settings.archive))
    raise typer.Exit(code)


def _given(ctx: typer.Context) -> bool:
    """Tell whether --quality is on the command line."""
    source = ctx.get_parameter_source("quality")
    return source is not None and source.name == "COMMANDLINE"


def _where_from(ctx: typer.Context) -> tuple[set[str], set[str]]:
    """Which settings the command line gives, and which the configuration file does."""
    from batchcomp.pipeline.remembered import NAMES

    options = {name: (name,) for name in NAMES} | {"target": goals.PARAMETERS, "measure": goals.MEASURE_PARAMETERS}
    found: dict[str, set[str]] = {}
    for name, parameters in options.items():
        for parameter in parameters:
            source = ctx.get_parameter_source(parameter)
            found.setdefault(source.name if source else "", set()).add(name)
    given = found.get("COMMANDLINE", set())
    return given, found.get("DEFAULT_MAP", set()) - given


def _say_first(settled: Settled) -> None:
    if settled.problem:  # else new pictures would silently get another quality, at night too
        console.say(settled.problem, style=console.PROBLEM)
    for note in settled.notes:
        console.say(note)


def _say_left(settled: Settled, outcome: Outcome) -> None:
    """Say what was left alone that a person may not expect to be."""
    from batchcomp.pipeline.remembered import asked_for

    old = outcome.otherwise
    if settled.changed and (count := old.total()):
        kinds = ", ".join(f"{number:,} with {how}" for how, number in old.most_common(4)) + ", ..." * (len(old) > 4)
        stored = f"with {next(iter(old))}" if len(old) == 1 else f"otherwise ({kinds})"
        new = asked_for(settled.settings, model="model" in stored)
        console.say(
            f"{count:,} picture{'s are' if count > 1 else ' is'} stored {stored}; new and changed ones get {new}; "
            "--recompress compresses the old ones again"
        )
    if count := outcome.counts["failed_before"]:
        them = "them" if count > 1 else "it"
        console.say(
            f"{count:,} file{'s' * (count > 1)} failed before and did not change; "
            f"`batchcomp report {settled.settings.archive} --outside` lists {them}, --retry tries {them} again"
        )


def _finish(archive: Place, source: int, stored: int, *, as_json: bool) -> None:
    from batchcomp.cli.state import remember_archive
    from batchcomp.report.text import human

    remember_archive(archive)
    name = shlex.quote(str(archive))
    text = f"{archive}: {human(source)} -> {human(stored)}; next: `batchcomp report {name}` shows each picture, "
    text += f"`batchcomp verify {name}` checks every byte, `batchcomp decode {name}` restores"
    console.log(text) if as_json else console.remark(text)
