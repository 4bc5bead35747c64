"""Rows and views for pages, made up, with every kind of hostile name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from batchcomp.archive import JpegComparison
from batchcomp.pages.preview import Step, Tried, data_of, preview_html
from batchcomp.pages.report_page import Pictures, ReportPage, html_of
from batchcomp.pages.views import COMPACT, JPEG, ORIGINAL, OURS, Version, View, view_data
from batchcomp.report.rows import ReportRow
from batchcomp.report.totals import totals
from tests.cli.samples import photo

HOSTILE = (
    "<img src=x onerror=alert(1)>.jpg",
    "</script><script>alert(2)</script>.jpg",
    "\u202egpj.exe.jpg",
    "two\nlines\x1b[31m.jpg",
    "{{ 7 * 7 }} {% raw %}.jpg",
    "\"'&amp;<!--.jpg",
)


def report_row(path: str, **fields: Any) -> ReportRow:
    """Return a measured row that is better than JPEG."""
    usual: dict[str, Any] = {
        "path": path,
        "stored": "compact",
        "reason": "",
        "width": 640,
        "height": 480,
        "quality": 55,
        "source_bytes": 100_000,
        "archived_bytes": 20_000,
        "unpacked_bytes": None,
        "bpp": 20_000 * 8 / (640 * 480),
        "ms_ssim": 0.98,
        "jpeg_ms_ssim": 0.96,
        "jpeg_bytes": 40_000,
        "jpeg_within_db": None,
        "ssimulacra2": None,
        "saved": 0.8,
        "saved_vs_jpeg": 0.5,
        "won": True,
    }
    return ReportRow(**{**usual, **fields})


def rows(count: int) -> list[ReportRow]:
    """Return rows whose names, sizes and likeness differ, the first with hostile names."""
    names = [*HOSTILE, *(f"2024/{number:05}.jpg" for number in range(count))][:count]
    return [
        report_row(
            name,
            archived_bytes=10_000 + 37 * number % 50_000,
            ms_ssim=0.95 + 0.04 * (number * 7919 % 1000) / 1000,
            won=number % 50 != 1,
            stored="jpeg" if number % 50 == 1 else "compact",
        )
        for number, name in enumerate(names)
    ]


def view(name: str, group: str, *, height: int = 96, width: int = 128, levels: tuple[str, ...] = ("",)) -> View:
    """Return a picture in four versions, worse from one to the next, for each level."""
    original = photo(height, width, seed=len(name))
    noise = np.random.default_rng(1).integers(-20, 21, original.shape)

    def worse(by: float) -> Any:
        return np.clip(original + noise * by, 0, 255).astype(np.uint8)

    versions = [Version(kind=ORIGINAL, pixels=original, size=90_000)]
    for number, level in enumerate(levels):
        versions += [
            Version(kind=OURS, pixels=worse(0.3), level=level, size=9000 + number, ms_ssim=0.98),
            Version(kind=JPEG, pixels=worse(1), level=level, size=8990 + number, ms_ssim=0.95),
            Version(kind=COMPACT, pixels=original[::2, ::2], level=level, size=9000 + number),
        ]
    return View(name=name, group=group, versions=versions, levels=levels)


def report_html(count: int = 230) -> str:
    """Return a page of many rows with four pictures to look at."""
    found = rows(count)
    shown = [(HOSTILE[0], "worst"), (HOSTILE[1], "worst"), ("2024/00010.jpg", "median"), (HOSTILE[2], "best")]
    made = [view_data(view(name, group), number, 200_000) for number, (name, group) in enumerate(shown)]
    page = ReportPage(archive=Path("a<b>&.bca"), rows=found, totals=totals(found, 5_000_000))
    pictures = Pictures(abouts=[about for about, _ in made], views=[one for _, one in made])
    return html_of(page, pictures)


def tried(name: str) -> Tried:
    """Return a picture at two qualities."""
    levels = ("quality 20", "quality 70")
    steps = [
        Step(
            quality=quality,
            size=9000 + number,
            ms_ssim=0.98,
            jpeg=JpegComparison(quality=30, bytes=8990, ms_ssim=0.95, bytes_at_ms_ssim=18_000),
        )
        for number, quality in enumerate((20, 70))
    ]
    shown = replace(view(name, "pictures", levels=levels), start="quality 70")
    return Tried(name=name, width=128, height=96, source_bytes=90_000, steps=steps, view=shown)


def preview_page() -> str:
    """Return a page of two pictures at two qualities."""
    pictures = [tried(HOSTILE[1]), tried("b.jpg")]
    return preview_html([data_of(one, number, 2) for number, one in enumerate(pictures)])
