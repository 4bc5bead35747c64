"""`batchcomp prune`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from batchcomp.cli import console, indexed
from batchcomp.cli.foreign import say_foreign
from batchcomp.cli.options import MOST, JsonOpt, LockWaitOpt, NamedArchiveArg
from batchcomp.cli.starting import starting
from batchcomp.errors import ExitCode
from batchcomp.places import Place
from batchcomp.places import folder as local

if TYPE_CHECKING:
    from batchcomp.archive import PruneReport


def prune(
    archive: NamedArchiveArg = None,
    keep_last: Annotated[
        int | None, typer.Option(min=1, max=MOST, metavar="N", help="Versions of each picture to keep. [default: 1]")
    ] = None,
    keep_daily: Annotated[
        int,
        typer.Option(min=0, max=MOST, metavar="N", help="Keep the last version of each of the last N days with one."),
    ] = 0,
    keep_weekly: Annotated[int, typer.Option(min=0, max=MOST, metavar="N", help="Likewise of weeks.")] = 0,
    keep_monthly: Annotated[int, typer.Option(min=0, max=MOST, metavar="N", help="Likewise of months.")] = 0,
    keep_yearly: Annotated[int, typer.Option(min=0, max=MOST, metavar="N", help="Likewise of years.")] = 0,
    delete_missing: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="PATH",
            parser=local,
            help="Drop pictures whose originals are gone from PATH, which compress was given; can be repeated.",
        ),
    ] = None,
    max_drop: Annotated[
        float, typer.Option(min=0, max=100, metavar="PERCENT", help="Refuse where more of the pictures would go.")
    ] = 10,
    yes: Annotated[bool, typer.Option("--yes", help="Drop them, however many.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be dropped, and why.")] = False,
    lock_wait: LockWaitOpt = 0,
    as_json: JsonOpt = False,
) -> None:
    """Drop superseded versions from an archive. The newest version of a picture stays unless its original is gone."""
    with starting("Pruning"):
        from batchcomp.archive import Keep
        from batchcomp.archive import prune as prune_archive
        from batchcomp.cli.gauge import showing
        from batchcomp.cli.state import named_archive
        from batchcomp.pipeline.sources import gone_below
        from batchcomp.report.text import count_of, human

    folder = named_archive(archive)
    gone = gone_below(folder, delete_missing) if delete_missing else lambda _path: False
    periods = {"daily": keep_daily, "weekly": keep_weekly, "monthly": keep_monthly, "yearly": keep_yearly}
    keep = Keep(last=keep_last or int(not any(periods.values())), **periods)
    say_foreign(folder)
    options: dict[str, Any] = {"keep": keep, "gone": gone, "max_drop": 100 if yes else max_drop, "lock_wait": lock_wait}
    with showing("Pruning", as_json=as_json) as amount:
        if dry_run:
            found = _would_prune(folder, options)
        else:
            found = prune_archive(folder, on_segment=lambda done, all_: amount.set(done, all_, "segments"), **options)
    for one in found.dropped:
        if as_json:
            console.json_line("dropped", path=one.row.path, reason=one.reason, segment=one.row.segment)
        else:
            console.write(console.shown(f"{one.row.path}: {one.reason}") + "\n")
    for stays in found.stays if dry_run else ():
        if as_json:
            console.json_line("kept", path=stays.row.path, reason=stays.reason, segment=stays.row.segment)
        else:
            console.write(console.shown(f"{stays.row.path}: kept ({stays.reason})") + "\n")
    if found.refusal:
        console.say(found.refusal, style=console.PROBLEM)
    counts = {"dropped": len(found.dropped), "rewritten": len(found.rewritten), "bytes_freed": found.bytes_freed}
    if as_json:
        console.json_line("summary", exit_code=int(ExitCode.DONE), **counts)
    elif dry_run:
        console.remark(f"{folder}: {count_of(counts['dropped'], 'version')} would be dropped")
    else:
        freed = human(max(0, found.bytes_freed))
        console.remark(
            f"{folder}: {count_of(counts['dropped'], 'version')} dropped, "
            f"{count_of(counts['rewritten'], 'segment')} rewritten, {freed} freed"
        )


def _would_prune(folder: Place, options: dict[str, Any]) -> PruneReport:
    """Say what a run would drop, by the index; the run itself goes by the manifests."""
    from batchcomp.archive import prune
    from batchcomp.index.survey import IndexSurvey

    with indexed.open_index(folder) as index:
        return prune(folder, dry_run=True, survey=IndexSurvey(index), **options)
