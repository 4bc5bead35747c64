"""`batchcomp report`."""

from __future__ import annotations

from typing import Annotated

import typer

from batchcomp.cli import console
from batchcomp.cli.options import ArchiveArg
from batchcomp.errors import ExitCode, UsageError


def report(
    archive: ArchiveArg = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="CSV on stdout.")] = False,
    sort: Annotated[
        str, typer.Option(help="path, size, source, archived, bpp, ms-ssim, gain or saved.", metavar="COLUMN")
    ] = "path",
    worst: Annotated[int | None, typer.Option(min=1, help="Only the N with the least gain over JPEG.")] = None,
) -> None:
    """Compare each picture with plain JPEG. The figures were measured when it was stored."""
    if as_json and as_csv:
        raise UsageError("--json and --csv: choose one of them")
    from batchcomp.archive import Archive
    from batchcomp.cli.state import choose_archive
    from batchcomp.report import render
    from batchcomp.report.rows import arrange, report_row, totals

    folder = choose_archive(archive)
    opened = Archive.open(folder)
    rows = [report_row(row) for row in opened.rows()]
    total = totals(rows, opened.bytes_on_disk())
    shown = arrange(rows, sort=sort, worst=worst)
    if as_json or as_csv:
        typer.echo(render.FORMATS["json" if as_json else "csv"](shown, total), nl=False)
    else:
        table = console.table_of(
            str(folder),
            render.COLUMNS,
            [render.cells(row) for row in shown],
            render.footer(total),
            stack=render.STACK,
        )
        console.out().print(table)
        for line in render.remarks(total):
            typer.echo(console.shown(line))
    for damage in opened.damage:
        console.say(f"damaged: {damage}", style="red")
    raise typer.Exit(ExitCode.DAMAGED if opened.damage else ExitCode.DONE)
