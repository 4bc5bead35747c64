"""A report as a CSV file, for spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import fields

from batchcomp.report.formats.base import Printer, Report
from batchcomp.report.rows import ReportRow, values_of
from batchcomp.report.text import printable


def write(report: Report, out: Printer) -> None:
    """A line a picture below a heading; there are no totals."""
    for line in csv_lines(report.rows):
        out.write(line)


def csv_lines(rows: Iterable[ReportRow]) -> Iterator[str]:
    """A CSV file with a heading; cells a spreadsheet would run as a formula are quoted with an apostrophe."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, [field.name for field in fields(ReportRow)], lineterminator="\n")
    writer.writeheader()
    for row in rows:
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
        writer.writerow({key: _inert(value) for key, value in values_of(row).items()})
    yield buffer.getvalue()


def _inert(value: object) -> object:
    """A cell that neither a spreadsheet nor a terminal obeys."""
    if not isinstance(value, str):
        return value
    text = printable(value)
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text
