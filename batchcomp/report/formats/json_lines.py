"""A report as JSON lines, for programs: docs/scripting.md lists the fields."""

from __future__ import annotations

from dataclasses import asdict

from batchcomp.report.formats.base import Printer, Report
from batchcomp.report.rows import values_of


def write(report: Report, out: Printer) -> None:
    """A line a picture, then one with the totals."""
    for row in report.rows:
        out.json_line("picture", **values_of(row))
    out.json_line("totals", **asdict(report.totals))
