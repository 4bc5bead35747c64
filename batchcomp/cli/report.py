"""`batchcomp report`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from batchcomp.cli import console, indexed, outside, pages, session, versions
from batchcomp.cli.completion import choice, inside, sorts
from batchcomp.cli.foreign import say_foreign
from batchcomp.cli.options import MOST, ArchiveArg, AtOpt, DeviceOpt, JsonOpt, ModelOpt, OutsideOpt, moment
from batchcomp.errors import UsageError
from batchcomp.places import Place
from batchcomp.report.formats import CSV, FORMATS, JSON, TABLE, find_format

if TYPE_CHECKING:
    from batchcomp.index import ArchiveIndex
    from batchcomp.report.totals import Totals


def report(
    archive: ArchiveArg = None,
    form: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="NAME",
            autocompletion=choice(*FORMATS),
            help=f"{', '.join(FORMATS)}. [default: {TABLE}]",
        ),
    ] = None,
    as_json: JsonOpt = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="CSV on stdout.")] = False,
    sort: Annotated[
        str,
        typer.Option(
            metavar="COLUMN", autocompletion=sorts, help="path, size, source, archived, bpp, ms-ssim, gain or saved."
        ),
    ] = "path",
    history: Annotated[
        str | None,
        typer.Option(
            "--history",
            metavar="PATH",
            autocompletion=inside,
            help="All versions of one picture, as `list` names it.",
        ),
    ] = None,
    at: AtOpt = None,
    list_outside: OutsideOpt = False,
    where: indexed.WhereOpt = None,
    show_all: Annotated[bool, typer.Option("--all", help="Every picture in the table, not only what fits.")] = False,
    worst: Annotated[
        int | None, typer.Option(min=1, max=MOST, metavar="N", help="Only the N with the least gain over JPEG.")
    ] = None,
    html: pages.HtmlOpt = None,
    shown: pages.ShownOpt = pages.SHOWN,
    sources: pages.SourcesOpt = None,
    device: DeviceOpt = "auto",
    model: ModelOpt = None,
) -> None:
    """Compare each picture with plain JPEG. The figures were measured when it was stored."""
    name = format_name(form, as_json=as_json, as_csv=as_csv)
    session.current().as_json = name == JSON
    write, then = find_format(name), moment(at) if at is not None else None
    from batchcomp.cli.state import choose_archive
    from batchcomp.index.order import order_by
    from batchcomp.pipeline.selection import view_of
    from batchcomp.report.formats.base import Report

    if html is not None and (then is not None or where):
        raise UsageError("--html goes with neither --at nor --where; the page shows what the archive holds now")
    if html is not None and name != TABLE:
        raise UsageError(f"--html and --format {name}: choose one of them")
    folder, order = choose_archive(archive), order_by(sort)
    if history is not None or list_outside:
        if sum((name == CSV, history is not None, at is not None, list_outside)) > 1:
            raise UsageError("--history, --at, --outside, --csv: choose one of them")
        raise typer.Exit(_part(folder, history, as_json=name == JSON))
    with indexed.open_index(folder) as index:
        say_foreign(folder)
        view = view_of(index, at=then)
        picked = indexed.filtered(index, view, where)
        total = indexed.totals_of(index, picked)
        if html is not None:
            options = pages.PageOptions(shown=shown, sources=tuple(sources or ()), device=device, model=model)
            raise typer.Exit(_page(html, index, total, options))
        if worst is not None:
            picked, order, count = indexed.worst_of(index, picked, worst, order)
        else:
            count = total.pictures
        limit = console.rows_that_fit() if name == TABLE and not show_all and worst is None else -1
        rows = indexed.ShownRows(index=index, condition=picked, order=order, limit=limit, count=count)
        with console.batched():
            write(Report(title=str(folder), rows=rows, totals=total, left_out=count - len(rows)), console)
        damage = index.damage(view)
    raise typer.Exit(console.say_damage(damage, as_json=name == JSON, pictures=count))


def _page(html: Path, index: ArchiveIndex, total: Totals, options: pages.PageOptions) -> int:
    from batchcomp.archive import ArchiveReader
    from batchcomp.report.rows import report_row

    opened = ArchiveReader.open(index.store)
    return pages.write_report(html, opened, list(map(report_row, index.rows())), total, options)


def _part(folder: Place, history: str | None, *, as_json: bool) -> int:
    """Report one picture's history, or what stays outside."""
    from batchcomp.index.conditions import Condition

    if history is None:
        return int(console.say_damage((), as_json=as_json, outside=outside.show(folder, as_json=as_json)))
    with indexed.open_index(folder) as index:
        count = versions.show_history(index, history, as_json=as_json)
        damage = index.damage(Condition(sql="p.path = ?", values=(history,)))
    return int(console.say_damage(damage, as_json=as_json, versions=count))


def format_name(form: str | None, *, as_json: bool, as_csv: bool) -> str:
    """The format that was asked for; `--json` and `--csv` are short for `--format json` and `--format csv`.

    Raises:
        UsageError: there are several.
    """
    given = {"--format": form, "--json": as_json and JSON, "--csv": as_csv and CSV}
    chosen = [option for option, value in given.items() if value]
    if len(chosen) > 1:
        raise UsageError(f"{' and '.join(chosen)}: choose one of them")
    return next((str(value) for value in given.values() if value), TABLE)
