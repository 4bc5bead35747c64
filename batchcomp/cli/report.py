"""`batchcomp report`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from batchcomp.cli import console
from batchcomp.cli.options import ArchiveArg, JsonOpt
from batchcomp.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from batchcomp.report.rows import ReportRow, Totals


def report(
    archive: ArchiveArg = None,
    as_json: JsonOpt = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="CSV on stdout.")] = False,
    sort: Annotated[
        str, typer.Option(help="path, size, source, archived, bpp, ms-ssim, gain or saved.", metavar="COLUMN")
    ] = "path",
    worst: Annotated[int | None, typer.Option(min=1, help="Only the N with the least gain over JPEG.")] = None,
) -> None:
    """Compare each picture with plain JPEG. The figures were measured when it was stored."""
    if as_json and as_csv:
        raise UsageError("--json and --csv: choose one of them")
    from dataclasses import asdict

    from batchcomp.archive import Archive
    from batchcomp.cli.state import choose_archive
    from batchcomp.report import render
    from batchcomp.report.rows import arrange, report_row, totals

    folder = choose_archive(archive)
    opened = Archive.open(folder)
    rows = [report_row(row) for row in opened.rows()]
    total = totals(rows, opened.bytes_on_disk())
    shown = arrange(rows, sort=sort, worst=worst)
    if as_json:
        for row in shown:
            console.json_line("picture", **asdict(row))
        console.json_line("totals", **asdict(total))
    elif as_csv:
        console.write(render.as_csv(shown))
    else:
        _show_table(folder, shown, total)
    raise typer.Exit(console.say_damage(opened.damage, as_json=as_json, pictures=len(shown)))


def _show_table(folder: Path, rows: list[ReportRow], total: Totals) -> None:
    from batchcomp.report import render

    cells = [render.cells(row) for row in rows]
    console.show_table(str(folder), render.COLUMNS, cells, render.footer(total), stack=render.STACK)
    for line in render.remarks(total):
        console.write(console.shown(line) + "\n")
