"""`batchcomp unpack`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from batchcomp.cli import console, progress
from batchcomp.cli.completion import archives, inside
from batchcomp.cli.foreign import say_foreign
from batchcomp.cli.options import AtOpt, JsonOpt, VersionOpt, check_places, moment
from batchcomp.errors import UsageError
from batchcomp.places import place


def unpack(
    source: Annotated[  # a `Place`: typer takes no unions
        Any,
        typer.Argument(
            help="An archive, or a packed payload.", metavar="ARCHIVE|FILE", autocompletion=archives, parser=place
        ),
    ],
    more: Annotated[
        list[str] | None,
        typer.Argument(
            help="Only paths that match these globs; or further payloads.",
            metavar="PATTERN|FILE",
            autocompletion=inside,
        ),
    ] = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FOLDER", help="The folder to write below.")
    ] = Path(),
    version: VersionOpt = None,
    at: AtOpt = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that are there.")] = False,
    as_json: JsonOpt = False,
) -> None:
    """Write an archive's entries as files. Packed ones become the very JPEGs they were, which any viewer opens."""
    then = moment(at) if at is not None else None
    if version is not None and then is not None:
        raise UsageError("--version and --at: choose one of them")
    check_places(source, output, versioned=version is not None or then is not None)
    from batchcomp.pipeline.payload_files import unpack_files
    from batchcomp.pipeline.unpack import unpack_archive

    if source.is_file():
        events = unpack_files([source, *map(Path, more or ())], output, force=force)
    else:
        say_foreign(source)
        events = unpack_archive(source, more or (), output, force=force, version=version, at=then)
    outcome = progress.watch("Unpacking", events, as_json=as_json)
    verb = f"unpacked below {output.resolve()}"
    raise typer.Exit(console.summarise(outcome, verb, as_json=as_json, out=str(output)))
