"""The index of an archive, as commands that only look at rows use it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from batchcomp.cli import console
from batchcomp.places import Place

if TYPE_CHECKING:
    from batchcomp.index import ArchiveIndex, Condition
    from batchcomp.report.rows import ReportRow
    from batchcomp.report.totals import Totals

WhereOpt = Annotated[
    list[str] | None,
    typer.Option(
        "--where", metavar="FILTER", help="Only such pictures: 'ms-ssim < 0.97 and size > 5MB and date >= 2025-07'."
    ),
]
_MANY = 20  # segments that take a moment


def open_index(archive: Place, *, rebuild: bool = False) -> ArchiveIndex:
    """Open the index of an archive; what takes long is said where there is a terminal. Errors: see `ArchiveIndex`."""
    from batchcomp.index import ArchiveIndex

    def told(done: int, count: int) -> None:
        if count >= _MANY and not done % _MANY:
            console.say_progress(f"{archive}: reading {done} of {count} new segments into the index")

    return ArchiveIndex.open(archive, rebuild=rebuild, told=told)


def filtered(index: ArchiveIndex, picked: Condition, where: list[str] | None) -> Condition:
    """Return what of a choice passes all filters.

    Raises:
        UsageError: one of them cannot be read.
    """
    from batchcomp.index.where import parse

    if where:
        index.check_versions()
    for text in where or ():
        picked &= parse(text, index.last_id)
    return picked


def totals_of(index: ArchiveIndex, picked: Condition) -> Totals:
    """Sum up a choice: all current pictures from sums that the index keeps, anything else row by row."""
    from batchcomp.index.conditions import CURRENT
    from batchcomp.report.rows import report_row
    from batchcomp.report.totals import summed, totals

    if picked == CURRENT:
        return summed(index.tally(), index.worst(), index.bytes_on_disk())
    return totals(map(report_row, index.rows(picked)), index.bytes_on_disk())


def worst_of(index: ArchiveIndex, picked: Condition, most: int, order: str) -> tuple[Condition, str, int]:
    """Return the measured pictures of a choice with the least gain over JPEG, how they are sorted, and their number.

    Icons are not among them unless there is nothing else, see `batchcomp.report.rows.not_tiny`. Where they are to be
    sorted by their paths, which nobody asks for with this, the least gain comes first.
    """
    from batchcomp.index import order as orders
    from batchcomp.index.conditions import LARGE, MEASURED, first_of

    measured = picked & MEASURED
    candidates = measured & LARGE if index.holds(measured & LARGE) else measured
    gain = orders.order_by("gain")
    count = min(most, index.count(candidates))
    return first_of(candidates, gain, most), gain if order == orders.order_by("path") else order, count


@dataclass(frozen=True, kw_only=True)
class ShownRows(Collection["ReportRow"]):
    """Rows of a report, read anew from the index each time they are gone through."""

    index: ArchiveIndex
    condition: Condition
    order: str
    limit: int
    count: int  # how many there are without the limit

    def __len__(self) -> int:
        return self.count if self.limit < 0 else min(self.limit, self.count)

    def __iter__(self) -> Iterator[ReportRow]:
        from batchcomp.report.rows import report_row

        return map(report_row, self.index.rows(self.condition, order=self.order, limit=self.limit))

    def __contains__(self, one: object) -> bool:
        return any(one == mine for mine in self)
