"""What `report --html` writes: an archive's figures and some of its pictures, on one page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from batchcomp.archive import ArchiveReader
from batchcomp.pages.archived import Showing, Unseen
from batchcomp.pages.choice import BEST, MEDIAN, WORST, choose
from batchcomp.pages.document import as_json, render, title_of
from batchcomp.pages.views import view_data
from batchcomp.places import Place
from batchcomp.report.rows import LEAST_SIDE, ReportRow
from batchcomp.report.summary import sentence
from batchcomp.report.text import human, number, percent, printable
from batchcomp.report.totals import Totals

VIEW_BYTES = 12_500_000  # of a page, for the pictures in it
MOST_BYTES = 1_400_000  # of them, for one picture
SCRIPTS = ("page.js", "table.js", "charts.js", "viewer.js", "report.js")
COUNTS = range(11)  # pictures a group
_TITLES = {WORST: "least gain over JPEG", MEDIAN: "the middle", BEST: "most gain over JPEG"}


@dataclass(frozen=True, kw_only=True)
class ReportPage:
    """What the page shows.

    Attributes:
        archive: its folder or address.
        rows: of all its pictures.
        totals: over all of them.
        shown: how many pictures to show of each group: worst, median, best.
    """

    archive: Place
    rows: Sequence[ReportRow]
    totals: Totals
    shown: int = 3


@dataclass(frozen=True, kw_only=True)
class Pictures:
    """The pictures on a page, as its script reads them, and those that could not be shown."""

    abouts: Sequence[dict[str, Any]] = ()
    views: Sequence[dict[str, Any]] = ()
    unseen: Sequence[Unseen] = ()
    tiny: int = 0  # left out, since they are so small


def pictures_of(
    page: ReportPage, opened: ArchiveReader, show: Callable[[], Showing], on_view: Callable[[str], None]
) -> Pictures:
    """Restore the pictures to be shown, one after the other.

    Args:
        page: what to show.
        opened: the archive.
        show: makes views; called only where there is something to show.
        on_view: is called with the name of each before it is restored.
    """
    chosen, tiny = choose(page.rows, page.shown)
    if not chosen:
        return Pictures(tiny=tiny)
    budget = min(MOST_BYTES, VIEW_BYTES // len(chosen))
    abouts: list[dict[str, Any]] = []
    views: list[dict[str, Any]] = []
    unseen: list[Unseen] = []
    wanted = {one.row.path for one in chosen}
    rows = {row.path: row for row in opened.rows() if row.path in wanted}
    with show() as showing:
        for one in chosen:
            on_view(one.row.path)
            view = showing.view(rows[one.row.path], one.group)
            if isinstance(view, Unseen):
                unseen.append(view)
                continue
            about, pictures = view_data(view, len(abouts), budget)
            abouts.append(about)
            views.append(pictures)
    return Pictures(abouts=abouts, views=views, unseen=unseen, tiny=tiny)


def html_of(page: ReportPage, pictures: Pictures) -> str:
    """Return the page."""
    return render(
        "report.html.j2",
        scripts=SCRIPTS,
        title=title_of(page.archive.name or str(page.archive)),
        summary=f"{sentence(page.totals)}.".replace("->", "\N{RIGHTWARDS ARROW}"),
        tiles=list(_tiles(page.totals)),
        remarks=list(_remarks(page, pictures)),
        rows=as_json(_columns(page.rows)),
        abouts=as_json({"groups": _TITLES, "views": pictures.abouts}),
        views=[as_json(view) for view in pictures.views],
        pictures=page.totals.pictures,
    )


def _columns(rows: Sequence[ReportRow]) -> dict[str, list[Any]]:
    """Return the rows by column, which is shorter."""
    return {
        "path": [printable(row.path) for row in rows],
        "stored": [row.stored for row in rows],
        "reason": [printable(row.reason) for row in rows],
        "width": [row.width for row in rows],
        "height": [row.height for row in rows],
        "source": [row.source_bytes for row in rows],
        "archived": [row.archived_bytes for row in rows],
        "ms_ssim": [_short(row.ms_ssim) for row in rows],
        "jpeg_ms_ssim": [_short(row.jpeg_ms_ssim) for row in rows],
        "jpeg_bytes": [row.jpeg_bytes for row in rows],
        "won": [row.won for row in rows],
        "estimated": [bool(row.jpeg_within_db) for row in rows],
    }


def _short(value: float | None) -> float | None:
    return None if value is None else round(value, 5)


def _tiles(total: Totals) -> Iterator[tuple[str, str, str]]:
    """Yield the figures that matter most: value, what it is, and a remark."""
    sizes = f"{human(total.source_bytes)} to {human(total.archived_bytes)}"
    yield percent(total.saved), "saved against the source", sizes
    if total.saved_vs_jpeg is not None:
        sizes = f"{human(total.jpeg_bytes)} to {human(total.jpeg_rival_bytes)}"
        yield percent(total.saved_vs_jpeg), "saved against JPEG", f"at the same MS-SSIM: {sizes}"
    if total.measured:
        jpeg = f"JPEG at the same bytes: {number(total.mean_jpeg_ms_ssim, 4)}"
        yield number(total.mean_ms_ssim, 4), "mean MS-SSIM", jpeg
        yield f"{total.won:,} of {total.measured:,}", "better than JPEG", "at the same bytes"


def _remarks(page: ReportPage, pictures: Pictures) -> Iterator[str]:
    total = page.totals
    yield f"On disk, equal content once, manifests and ZIP headers included: {human(total.archive_bytes_on_disk)}."
    if total.estimated:
        yield f"~ marks figures of JPEG that were estimated when the picture was stored: {total.estimated:,}."
    if pictures.tiny:
        yield f"Pictures with a side below {LEAST_SIDE} pixels are not among those to look at: {pictures.tiny:,}."
    for one in pictures.unseen:
        yield printable(f"Cannot be shown: {one.reason}.")
