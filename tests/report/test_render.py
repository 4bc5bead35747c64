"""A report as cells, JSON and CSV."""

from __future__ import annotations

import csv
import io

import pytest

from batchcomp.report import render
from batchcomp.report.rows import report_row, totals
from tests.archive.samples import sample_row, verbatim_row


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1_000, "1.0 kB"),
        (12_345, "12.3 kB"),
        (1_500_000, "1.5 MB"),
        (2e9, "2.0 GB"),
        (3e13, "30000.0 GB"),
    ],
)
def test_bytes_for_people(count: float, text: str) -> None:
    """Bytes are shown in powers of 1000."""
    assert render.human(count) == text


@pytest.mark.parametrize(
    ("saved", "text"), [(0.4, "-40 %"), (-0.08, "+8 %"), (0.0, "0 %"), (-0.001, "0 %"), (None, "-")]
)
def test_changes_have_a_sign(saved: float | None, text: str) -> None:
    """Fewer bytes than JPEG is a minus; no change has no sign."""
    assert render.change(saved) == text


@pytest.mark.parametrize(("saved", "text"), [(0.4, "40 %"), (-0.08, "-8 %"), (0.0, "0 %"), (0.004, "0 %"), (None, "-")])
def test_savings_are_positive(saved: float | None, text: str) -> None:
    """What was saved is shown as what was saved."""
    assert render.percent(saved) == text


def test_cells_and_footer_fit_the_columns() -> None:
    """There is a cell for each column, and the stacked form shows every column once."""
    row = report_row(sample_row(payload_bytes=20_000))
    assert len(render.cells(row)) == len(render.COLUMNS) == len(render.footer(totals([row], 1)))
    assert sorted(number for group in render.STACK for number in group) == list(range(len(render.COLUMNS)))


def test_a_verbatim_row_says_why() -> None:
    """The table tells what is stored as it is, and the reason."""
    assert render.cells(report_row(verbatim_row("a.tif")))[0] == "a.tif (stored as it is: 16 bits a channel)"


def test_one_picture_is_one_picture() -> None:
    """Counts are worded for people."""
    assert render.footer(totals([report_row(verbatim_row("a.tif"))], 1))[0] == "1 picture"


@pytest.mark.parametrize("name", ["=1+1.png", "+1.png", "-1.png", "@SUM(A1).png", '=HYPERLINK("x";"y").png'])
def test_csv_runs_nothing(name: str) -> None:
    """A name that a spreadsheet would run as a formula begins with an apostrophe."""
    rows = [report_row(sample_row(name, payload_bytes=1))]
    (read,) = csv.DictReader(io.StringIO(render.as_csv(rows)))
    assert read["path"] == f"'{name}"


def test_csv_quotes_what_it_must() -> None:
    """Commas, quotes and spaces in names survive; numbers stay numbers, negative ones too."""
    rows = [report_row(sample_row('a, "b" c.png', payload_bytes=200_000))]
    (read,) = csv.DictReader(io.StringIO(render.as_csv(rows)))
    assert read["path"] == 'a, "b" c.png'
    assert float(read["saved"]) < 0
    assert not read["saved"].startswith("'")


def test_csv_moves_no_terminal() -> None:
    """Control characters, which a forged manifest may hold in a reason, are escaped."""
    rows = [report_row(verbatim_row("a.tif", reason="\x1b]0;title\x07\u202ered"))]
    (read,) = csv.DictReader(io.StringIO(render.as_csv(rows)))
    assert read["reason"] == r"\x1b]0;title\x07\u202ered"
