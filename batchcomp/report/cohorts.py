"""The cohort table as the cells of tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from batchcomp.report.sheet import Sheet
from batchcomp.report.text import number

PLACES = 4


def sheets(result: Any) -> Iterator[Sheet]:
    """The tables of a `batchcomp.benchmark.cohorts.CohortResult` (not imported: its room needs the extra)."""
    first, last = result.codecs[0], result.codecs[-1]
    yield Sheet(
        title=f"Mean MS-SSIM at {result.rate:g} bits per pixel, the same bytes for all",
        columns=[
            ("cohort", "left"),
            ("group", "left"),
            ("pictures", "right"),
            *((name, "right") for name in result.codecs),
            (f"{first} above {last}", "right"),
            ("pictures won", "right"),
        ],
        rows=[
            [
                row.cohort,
                row.group,
                str(row.pictures),
                *(number(row.ms_ssim[name], PLACES) for name in result.codecs),
                f"{row.ms_ssim[first] - row.ms_ssim[last]:+.4f}",
                f"{row.wins}/{row.pictures}",
            ]
            for row in result.rows
        ],
    )
    if result.gaps:
        yield Sheet(
            title=f"Overfitting: a cohort over another ({last}'s own gap is what the pictures differ by)",
            columns=[("cohorts", "left"), ("codec", "left"), ("MS-SSIM", "right"), ("gain over bicubic", "right")],
            rows=[
                [f"{gap.over} - {gap.under}", gap.codec, f"{gap.ms_ssim:+.4f}", f"{gap.gain:+.4f}"]
                for gap in result.gaps
            ],
        )
