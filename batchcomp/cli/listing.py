"""`batchcomp list`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from batchcomp.cli import console, indexed, outside, versions
from batchcomp.cli.completion import inside
from batchcomp.cli.foreign import say_foreign
from batchcomp.cli.options import ArchiveArg, AtOpt, JsonOpt, OutsideOpt, moment
from batchcomp.errors import UsageError

if TYPE_CHECKING:
    from batchcomp.archive import Row


def list_pictures(
    archive: ArchiveArg = None,
    patterns: Annotated[
        list[str] | None,
        typer.Argument(help="Only paths that match these globs.", metavar="PATTERN", autocompletion=inside),
    ] = None,
    all_versions: Annotated[
        bool, typer.Option("--versions", help="Every version: number, date, size, ZIP file, kind, path.")
    ] = False,
    at: AtOpt = None,
    where: indexed.WhereOpt = None,
    list_outside: OutsideOpt = False,
    as_json: JsonOpt = False,
) -> None:
    """List the pictures of an archive."""
    if sum((all_versions, at is not None, list_outside)) > 1:
        raise UsageError("--versions, --at, --outside: choose one of them")
    if (patterns or where) and (all_versions or list_outside):
        raise UsageError("PATTERN and --where go with neither --versions nor --outside; leave them out")
    then = moment(at) if at is not None else None
    from batchcomp.cli.state import choose_archive
    from batchcomp.index.conditions import EVERYTHING
    from batchcomp.pipeline.selection import chosen, view_of

    folder = choose_archive(archive)
    if list_outside:
        raise typer.Exit(console.say_damage((), as_json=as_json, outside=outside.show(folder, as_json=as_json)))
    with indexed.open_index(folder) as index:
        say_foreign(folder)
        if all_versions:
            view, counts = EVERYTHING, {"versions": versions.show_versions(index, as_json=as_json)}
        else:
            view = view_of(index, at=then)
            picked = indexed.filtered(index, chosen(index, view, patterns or ()), where)
            counts = {"pictures": _show_all(index.rows(picked), as_json=as_json)}
        damage = index.damage(view)
    raise typer.Exit(console.say_damage(damage, as_json=as_json, **counts))


def _show_all(rows: Iterator[Row], *, as_json: bool) -> int:
    count = 0
    with console.batched():
        for count, row in enumerate(rows, 1):  # noqa: B007  # the last one is the answer
            _show(row, as_json=as_json)
    return count


def _show(row: Row, *, as_json: bool) -> None:
    from batchcomp.report.rows import row_fields

    if as_json:
        fields = {"segment": row.place[0], "entry": row.entry, "source_sha256": row.source_sha256}
        console.json_line("picture", **row_fields(row), **fields, mtime_ns=row.mtime_ns, model=row.model)
    else:
        console.write(console.shown(row.path) + "\n")
