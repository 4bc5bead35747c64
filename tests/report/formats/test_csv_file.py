"""A report as CSV."""

from __future__ import annotations

import csv
import io

import pytest

from batchcomp.report.formats.csv_file import csv_lines
from batchcomp.report.rows import report_row
from tests.archive.samples import sample_row, verbatim_row


@pytest.mark.parametrize("name", ["=1+1.png", "+1.png", "-1.png", "@SUM(A1).png", '=HYPERLINK("x";"y").png'])
def test_csv_runs_nothing(name: str) -> None:
    """A name that a spreadsheet would run as a formula begins with an apostrophe."""
    rows = [report_row(sample_row(name, payload_bytes=1))]
    (read,) = csv.DictReader(io.StringIO("".join(csv_lines(rows))))
    assert read["path"] == f"'{name}"


def test_csv_quotes_what_it_must() -> None:
    """Commas, quotes and spaces in names survive; numbers stay numbers, negative ones too."""
    rows = [report_row(sample_row('a, "b" c.png', payload_bytes=200_000))]
    (read,) = csv.DictReader(io.StringIO("".join(csv_lines(rows))))
    assert read["path"] == 'a, "b" c.png'
    assert float(read["saved"]) < 0
    assert not read["saved"].startswith("'")


def test_csv_moves_no_terminal() -> None:
    """Control characters, which a forged manifest may hold in a reason, are escaped."""
    rows = [report_row(verbatim_row("a.tif", reason="\x1b]0;title\x07\u202ered"))]
    (read,) = csv.DictReader(io.StringIO("".join(csv_lines(rows))))
    assert read["reason"] == r"\x1b]0;title\x07\u202ered"
