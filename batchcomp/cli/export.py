"""`batchcomp export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from batchcomp.cli import console, indexed
from batchcomp.cli.completion import inside
from batchcomp.cli.foreign import say_foreign
from batchcomp.cli.options import ArchiveArg, AtOpt, JsonOpt, moment
from batchcomp.errors import UsageError


def export(
    archive: ArchiveArg = None,
    patterns: Annotated[
        list[str] | None,
        typer.Argument(help="Only paths that match these globs.", metavar="PATTERN", autocompletion=inside),
    ] = None,
    parquet: Annotated[
        Path | None, typer.Option("--parquet", metavar="FILE", help="A Parquet file, a line a picture.")
    ] = None,
    at: AtOpt = None,
    where: indexed.WhereOpt = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file if it is there.")] = False,
    as_json: JsonOpt = False,
) -> None:
    """Write what is known of the pictures to a file for analyses. `report --csv` is for spreadsheets."""
    if parquet is None:
        raise UsageError("nothing says where to; give --parquet FILE")
    then = moment(at) if at is not None else None
    from batchcomp.cli.state import choose_archive
    from batchcomp.pipeline.selection import chosen, view_of
    from batchcomp.report.parquet import check_parquet, write_parquet
    from batchcomp.report.text import human, pictures

    check_parquet(parquet, force=force)
    folder = choose_archive(archive)
    if isinstance(folder, Path) and parquet.resolve().is_relative_to(folder.resolve()):
        raise UsageError(f"{parquet}: lies in the archive itself; choose another folder")
    with indexed.open_index(folder) as index:
        say_foreign(folder)
        view = view_of(index, at=then)
        picked = indexed.filtered(index, chosen(index, view, patterns or ()), where)
        count = write_parquet(parquet, index.rows(picked), index.times)
        damage = index.damage(view)
    if not as_json:
        console.remark(f"{parquet}: {pictures(count)}, {human(parquet.stat().st_size)}")
    raise typer.Exit(console.say_damage(damage, as_json=as_json, pictures=count))
