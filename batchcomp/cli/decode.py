"""`batchcomp decode`."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from batchcomp.cli import console, progress
from batchcomp.cli.completion import archives, choice, inside
from batchcomp.cli.foreign import say_foreign
from batchcomp.cli.jobs import EngineOpt, SchedulerOpt, executor_of
from batchcomp.cli.options import (
    AtOpt,
    BatchOpt,
    DeviceOpt,
    JobsOpt,
    JsonOpt,
    ModelOpt,
    VersionOpt,
    batch_size,
    check_places,
    moment,
)
from batchcomp.cli.starting import starting
from batchcomp.errors import UsageError
from batchcomp.outputs import DEFAULT_OUTPUT, FORMATS, OUTPUTS, SOURCE, SPELLINGS
from batchcomp.places import Place, place
from batchcomp.report.text import count_of
from batchcomp.settings import DecodeSettings

if TYPE_CHECKING:
    from batchcomp.pipeline.records import Event


def decode(
    source: Annotated[
        Any,  # a `Place`: typer takes no unions
        typer.Argument(
            help="An archive, or a payload taken out of one.",
            metavar="ARCHIVE|PAYLOAD",
            autocompletion=archives,
            parser=place,
        ),
    ],
    patterns: Annotated[
        list[str] | None,
        typer.Argument(
            help="Only paths that match these globs; or further payloads.",
            metavar="PATTERN|PAYLOAD",
            autocompletion=inside,
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FOLDER",
            help="The folder to restore below. [default: NAME-restored; . for payloads]",
        ),
    ] = None,
    file_format: Annotated[
        str,
        typer.Option(
            "--format",
            metavar="NAME",
            autocompletion=choice(*FORMATS),
            help=f"{', '.join(OUTPUTS)}; or {SOURCE}: each picture's own, JPEG at quality 95.",
        ),
    ] = DEFAULT_OUTPUT,
    version: VersionOpt = None,
    at: AtOpt = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be restored, and about how large it will be.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that are there.")] = False,
    device: DeviceOpt = "auto",
    jobs: JobsOpt = 0,
    batch: BatchOpt = "auto",
    model: ModelOpt = None,
    engine: EngineOpt = "local",
    scheduler: SchedulerOpt = None,
    as_json: JsonOpt = False,
) -> None:
    """Restore pictures from an archive. Same tree, same names with the new suffix; EXIF, ICC and times are kept."""
    out = output or (Path() if source.is_file() else restored_beside(source))
    settings = DecodeSettings(
        source=source,
        out=out,
        patterns=tuple(patterns or ()),
        format=SPELLINGS.get(file_format.lower(), file_format),
        force=force,
        device=device,
        jobs=jobs,
        batch_size=batch_size(batch),
        model=model,
        version=version,
        at=moment(at) if at is not None else None,
    )
    check_places(source, out, versioned=version is not None or at is not None)
    with starting("Planning" if dry_run else "Restoring"):
        from batchcomp.pipeline.decode import decode_archive, plan_decode
        from batchcomp.pipeline.forecast import Forecast
        from batchcomp.pipeline.payload_files import decode_payloads
        from batchcomp.pipeline.spread_reading import restored_over

    say_foreign(source)
    if dry_run:
        raise typer.Exit(_plan(source, plan_decode(settings), out, as_json=as_json))
    with Forecast() as forecast:
        ahead = None if source.is_file() else forecast
        with executor_of(engine, scheduler) as executor:
            restore = restored_over(executor) if executor else None
            events = decode_payloads(settings) if source.is_file() else decode_archive(settings, forecast, restore)
            outcome = progress.watch("Restoring", events, as_json=as_json, forecast=ahead)
    for what, count in sorted(outcome.left_out.items()):
        console.say(f"{file_format} has no place for {what} ({count_of(count, 'picture')}); the archive keeps them")
    verb = f"restored below {out.resolve()}"
    raise typer.Exit(console.summarise(outcome, verb, as_json=as_json, out=str(out)))


def _plan(source: Place, events: Generator[Event], out: Path, *, as_json: bool) -> int:
    """Show what a dry run found.

    Raises:
        UsageError: a lone payload was named, which says nothing before it is restored.
    """
    if source.is_file():
        raise UsageError("--dry-run: goes with an archive; a payload is restored at once")
    outcome = progress.watch("Planning", events, as_json=as_json, must_finish=False)
    return console.summarise(outcome, f"would be restored below {out.resolve()}", as_json=as_json, out=str(out))


def restored_beside(archive: Place) -> Path:
    """Return where an archive is restored unless told otherwise: `photos-restored` in the current folder."""
    return Path(f"{archive.resolve().stem}-restored")
