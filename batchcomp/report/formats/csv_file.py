"""A report as a CSV file, for spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict, fields

from batchcomp.report.formats.base import Printer, Report
from batchcomp.report.rows import ReportRow
from batchcomp.report.text import printable


def write(report: Report, out: Printer) -> None:
    """A line a picture below a heading; there are no totals."""
    out.write(as_csv(report.rows))


def as_csv(rows: Sequence[ReportRow]) -> str:
    """A CSV file with a heading; cells a spreadsheet would run as a formula are quoted with an apostrophe."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, [field.name for field in fields(ReportRow)], lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({key: _inert(value) for key, value in asdict(row).items()})
    return buffer.getvalue()


def _inert(value: object) -> object:
    """A cell that neither a spreadsheet nor a terminal obeys."""
    if not isinstance(value, str):
        return value
    text = printable(value)
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text
