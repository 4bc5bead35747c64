"""What commands that write a page have in common."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from batchcomp.cli import console
from batchcomp.errors import ExitCode

if TYPE_CHECKING:
    from batchcomp.archive import ArchiveReader
    from batchcomp.report.rows import ReportRow
    from batchcomp.report.totals import Totals

_PANEL = "A page to look at"
MOST_SHOWN = 10

HtmlOpt = Annotated[
    Path | None,
    typer.Option("--html", metavar="FILE", rich_help_panel=_PANEL, help="Write one page that any browser opens."),
]
ShownOpt = Annotated[
    int,
    typer.Option(
        "--show",
        min=0,
        max=MOST_SHOWN,
        metavar="N",
        rich_help_panel=_PANEL,
        help="Pictures to look at on it: so many of the worst, the median and the best, 0 to 10.",
    ),
]
SourcesOpt = Annotated[
    list[Path] | None,
    typer.Option(
        "--sources",
        metavar="PATH",
        rich_help_panel=_PANEL,
        help="Where the originals are: what compress was given. By default FOLDER beside FOLDER.bca.",
    ),
]
SHOWN = 3


@dataclass(frozen=True, kw_only=True)
class PageOptions:
    """What a report's page is made with; `sources` may be empty."""

    shown: int
    sources: tuple[Path, ...]
    device: str
    model: Path | None


def write_report(path: Path, opened: ArchiveReader, rows: list[ReportRow], total: Totals, options: PageOptions) -> int:
    """Write the page of an archive and say so; return the exit code that its damage asks for.

    Raises:
        UsageError: the file or the sources make no sense.
    """
    from batchcomp.pages.archived import Showing, originals_beside
    from batchcomp.pages.document import check_target, write_page
    from batchcomp.pages.report_page import ReportPage, html_of, pictures_of
    from batchcomp.report.summary import sentence
    from batchcomp.report.text import count_of, human

    check_target(path)
    where = options.sources or originals_beside(opened.store.place)
    page = ReportPage(archive=opened.store.place, rows=rows, totals=total, shown=options.shown)
    pictures = pictures_of(
        page,
        opened,
        lambda: Showing(opened, where, model=options.model, device=options.device),
        lambda name: console.say_progress(f"restoring {name}"),
    )
    for one in pictures.unseen:
        console.say(f"not shown: {one.reason}", style=console.PROBLEM if one.damage else "")
    size = write_page(path, html_of(page, pictures))
    console.remark(sentence(total))
    console.remark(
        f"{path}: {human(size)}, {count_of(len(pictures.views), 'picture')} to look at; open it in a browser"
    )
    damaged = any(one.damage for one in pictures.unseen)
    return int(console.say_damage(opened.damage, as_json=False)) or (ExitCode.DAMAGED if damaged else ExitCode.DONE)
