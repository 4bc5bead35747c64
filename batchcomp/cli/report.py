"""`batchcomp report`."""

from __future__ import annotations

from typing import Annotated

import typer

from batchcomp.cli import console, outside, pages, session, versions
from batchcomp.cli.completion import choice, inside, sorts
from batchcomp.cli.foreign import say_foreign
from batchcomp.cli.options import ArchiveArg, AtOpt, DeviceOpt, JsonOpt, ModelOpt, OutsideOpt, moment
from batchcomp.errors import UsageError
from batchcomp.places import Place
from batchcomp.report.formats import CSV, FORMATS, JSON, TABLE, find_format


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
    worst: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Only the N with the least gain over JPEG.")
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
    from batchcomp.archive import ArchiveReader
    from batchcomp.cli.state import choose_archive
    from batchcomp.pipeline.selection import view_of
    from batchcomp.report.formats.base import Report
    from batchcomp.report.rows import arrange, report_row, totals

    if html is not None and then is not None:
        raise UsageError("--html, --at: choose one of them; the page shows what the archive holds now")
    folder = choose_archive(archive)
    if history is not None or list_outside:
        if sum((name == CSV, history is not None, at is not None, list_outside)) > 1:
            raise UsageError("--history, --at, --outside, --csv: choose one of them")
        raise typer.Exit(_part(folder, history, as_json=name == JSON))
    opened = ArchiveReader.open(folder)
    say_foreign(folder)
    rows = [report_row(row) for row in view_of(opened, at=then)]
    arranged, total = arrange(rows, sort=sort, worst=worst), totals(rows, opened.bytes_on_disk())
    if html is not None:
        if name != TABLE:
            raise UsageError(f"--html and --format {name}: choose one of them")
        options = pages.PageOptions(shown=shown, sources=tuple(sources or ()), device=device, model=model)
        raise typer.Exit(pages.write_report(html, opened, rows, total, options))
    write(Report(title=str(folder), rows=arranged, totals=total), console)
    raise typer.Exit(console.say_damage(opened.damage, as_json=name == JSON, pictures=len(arranged)))


def _part(folder: Place, history: str | None, *, as_json: bool) -> int:
    """Report one picture's history, or what stays outside."""
    from batchcomp.archive import ArchiveReader

    if history is None:
        return int(console.say_damage((), as_json=as_json, outside=outside.show(folder, as_json=as_json)))
    opened = ArchiveReader.open(folder)
    count = versions.show_history(opened, history, as_json=as_json)
    return int(console.say_damage(opened.damage, as_json=as_json, versions=count))


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
