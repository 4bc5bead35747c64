"""`batchcomp repair`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from batchcomp.cli import console
from batchcomp.cli.foreign import say_foreign
from batchcomp.cli.options import JsonOpt, LockWaitOpt, NamedArchiveArg
from batchcomp.cli.starting import starting
from batchcomp.errors import ExitCode
from batchcomp.report.text import count_of, pictures

if TYPE_CHECKING:
    from batchcomp.archive import RepairReport


def repair(
    archive: NamedArchiveArg = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be saved, and what is lost.")] = False,
    lock_wait: LockWaitOpt = 0,
    as_json: JsonOpt = False,
) -> None:
    """Restore damaged segments, or save what is intact.

    Where there is recovery data (`compress --parity`) they are restored to the byte; else every picture that is intact
    is saved. The damaged files are kept beside the new ones, as *.damaged.
    """
    with starting("Repairing"):
        from batchcomp.cli.state import named_archive
        from batchcomp.pipeline.repair import repair_archive

    folder = named_archive(archive)
    found = repair_archive(folder, dry_run=dry_run, lock_wait=lock_wait)
    say_foreign(folder)
    _tell(found, as_json=as_json)
    code = ExitCode.DAMAGED if found.lost else ExitCode.DONE
    counts = {
        "repaired": len(found.segments),
        "saved": sum(segment.saved for segment in found.segments),
        "rebuilt": sum(segment.rebuilt for segment in found.segments),
        "lost": sum(lost.count or 0 for lost in found.lost),
        "unknown": sum(lost.count is None for lost in found.lost),
        "recovery_renewed": len(found.parity),
    }
    if as_json:
        console.json_line("summary", exit_code=int(code), **counts)
    elif not found.segments:
        console.remark(f"{folder}: nothing to repair" + " but recovery data" * bool(found.parity))
    else:
        verb = "would be repaired" if dry_run else "repaired"
        more = f", and what was in {count_of(counts['unknown'], 'file')} is unknown" if counts["unknown"] else ""
        saved = f"{pictures(counts['saved'])} saved, {counts['lost']} lost{more}"
        console.remark(f"{folder}: {count_of(counts['repaired'], 'segment')} {verb}, {saved}")
    raise typer.Exit(code)


def _tell(found: RepairReport, *, as_json: bool) -> None:
    """Say for each segment where its damaged file is kept, and name what is lost."""
    for segment in found.segments:
        if as_json:
            aside = str(segment.aside) if segment.aside else None
            console.json_line(
                "repaired",
                segment=segment.number,
                saved=segment.saved,
                rebuilt=segment.rebuilt,
                exact=segment.exact,
                restored_blocks=segment.restored,
                kept=aside,
                note=segment.note,
            )
        elif segment.note:
            kept = f"; it is kept as {segment.aside}" if segment.aside else ""
            console.say(segment.note + kept, style=console.PROBLEM)
        elif segment.aside:
            blocks = count_of(segment.restored, "damaged block")
            how = f"restored to the byte ({blocks})" if segment.exact else "saved"
            console.say(f"segment {segment.number}: {pictures(segment.saved)} {how}; damaged file: {segment.aside}")
        for lost in segment.lost:
            if as_json:
                console.json_line(
                    "lost", segment=segment.number, path=lost.path, reason=lost.reason, pictures=lost.count
                )
            else:
                console.say(f"lost: {lost.path}: {lost.reason}", style=console.PROBLEM)
    for number in found.parity:
        if as_json:
            console.json_line("recovery_renewed", segment=number)
        else:
            console.say(f"segment {number}: recovery data written anew")
