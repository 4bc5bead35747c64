"""The registry of report formats."""

from __future__ import annotations

import pytest

from batchcomp.errors import UsageError
from batchcomp.report import formats
from batchcomp.report.formats import FORMATS, find_format
from batchcomp.report.formats.base import Printer, Report
from tests.archive.samples import sample_row, write_archive
from tests.cli.conftest import Run, run

__all__ = ["run"]


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_there(name: str) -> None:
    """Each line of the table names a function that can be imported."""
    assert callable(find_format(name))


def test_an_unknown_format_is_named_with_those_there_are() -> None:
    """The message lists all formats."""
    with pytest.raises(UsageError, match="--format 'xml': expected one of table, json, csv"):
        find_format("xml")


def write_names(report: Report, out: Printer) -> None:
    """A format as someone would add it: the names alone."""
    out.write("".join(f"{row.path}\n" for row in report.rows))


def test_a_line_adds_a_format(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A function and its line in the table are all that `report --format` needs."""
    monkeypatch.setitem(formats.FORMATS, "names", f"{__name__}:write_names")
    from pathlib import Path  # noqa: PLC0415

    write_archive(Path("a.bca"), [(sample_row("a.png"), b"x")])
    assert run("report", "a.bca", "--format", "names").out == "a.png\n"
