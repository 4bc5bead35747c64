"""A report as a table."""

from __future__ import annotations

from batchcomp.report.formats import table
from batchcomp.report.rows import report_row
from batchcomp.report.totals import totals
from tests.archive.samples import sample_row, verbatim_row


def test_cells_and_footer_fit_the_columns() -> None:
    """There is a cell for each column, and the picture's name is never left out."""
    row = report_row(sample_row(payload_bytes=20_000))
    assert len(table.cells(row)) == len(table.COLUMNS) == len(table.footer(totals([row], 1)))
    assert set(table.SPARE) < set(range(1, len(table.COLUMNS)))


def test_a_verbatim_row_says_why() -> None:
    """The table tells what is stored as it is, and the reason."""
    assert table.cells(report_row(verbatim_row("a.tif")))[0] == "a.tif (stored as it is: 16 bits a channel)"


def test_one_picture_is_one_picture() -> None:
    """Counts are worded for people."""
    assert table.footer(totals([report_row(verbatim_row("a.tif"))], 1))[0] == "1 picture"
