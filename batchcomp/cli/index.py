"""`batchcomp index`."""

from __future__ import annotations

from typing import Annotated

import typer

from batchcomp.cli import console, indexed
from batchcomp.cli.foreign import say_foreign
from batchcomp.cli.options import ArchiveArg, JsonOpt


def index(
    archive: ArchiveArg = None,
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Make it anew from the archive's manifests.")] = False,
    as_json: JsonOpt = False,
) -> None:
    """Bring the index of an archive up to date, and say where it lies.

    Commands make it by themselves and keep it in the user's cache, so that lists and reports of many pictures are
    quick. It holds nothing that the archive does not: it can be deleted at any time.
    """
    from batchcomp.cli.state import choose_archive
    from batchcomp.index.conditions import EVERYTHING
    from batchcomp.report.text import count_of, human, pictures

    folder = choose_archive(archive)
    with indexed.open_index(folder, rebuild=rebuild) as opened:
        say_foreign(folder)
        count, versions, segments = opened.count(), opened.count(EVERYTHING), len(opened.created)
        file, damage = opened.file, opened.damage()
    size = 0 if file is None else file.stat().st_size
    if as_json:
        where = None if file is None else str(file)
        console.json_line("index", file=where, bytes=size, pictures=count, versions=versions, segments=segments)
    else:
        held = f"{pictures(count)}, {count_of(versions, 'version')} in {count_of(segments, 'segment')}"
        console.write(console.shown(f"{folder}: {held}") + "\n")
        place = "the user's cache cannot be written now, so that each command makes the index anew"
        console.write(console.shown(place if file is None else f"{file}: {human(size)}") + "\n")
    raise typer.Exit(console.say_damage(damage, as_json=as_json))
