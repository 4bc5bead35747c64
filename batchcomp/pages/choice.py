"""Which pictures of an archive are worth looking at: the worst, the median and the best against JPEG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from batchcomp.kinds import COMPACT
from batchcomp.report.rows import SORTS, ReportRow, not_tiny

WORST, MEDIAN, BEST = "worst", "median", "best"


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """A row and the group that it is shown in."""

    row: ReportRow
    group: str


def choose(rows: Sequence[ReportRow], count: int) -> tuple[list[Chosen], int]:
    """Return up to `count` rows of each group, none twice, and how many were left out since they are tiny.

    They are ordered by gain, the difference of MS-SSIM to JPEG at the same bytes. Only pictures that the networks
    restore and that were measured count; tiny ones only where there are no others.
    """
    measured = [
        row for row in rows if row.stored in COMPACT and row.ms_ssim is not None and row.jpeg_ms_ssim is not None
    ]
    large = not_tiny(measured)
    ordered = sorted(large, key=SORTS["gain"])
    worst = ordered[:count]
    best = ordered[max(count, len(ordered) - count) :][::-1]
    rest = ordered[len(worst) : len(ordered) - len(best)]
    middle = max(0, (len(rest) - count) // 2)
    groups = {WORST: worst, MEDIAN: rest[middle : middle + count], BEST: best}
    chosen = [Chosen(row=row, group=group) for group, members in groups.items() for row in members]
    return chosen, len(measured) - len(large)
