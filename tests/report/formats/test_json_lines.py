"""A report as JSON lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from batchcomp.report.formats.base import Report
from batchcomp.report.formats.json_lines import write
from batchcomp.report.rows import report_row
from batchcomp.report.totals import totals
from tests.archive.samples import sample_row


class Lines:
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.found: list[tuple[str, dict[str, Any]]] = []

    def write(self, text: str, /) -> None:
        raise AssertionError(text)

    def show_table(self, *_: object, stack: Sequence[Sequence[int]] = ()) -> None:
        raise AssertionError(stack)

    def json_line(self, kind: str, **fields: Any) -> None:
        self.found.append((kind, fields))


def test_a_line_a_picture_and_the_totals() -> None:
    """Pictures come in the report's order, the totals last, and nothing else is written."""
    rows = [report_row(sample_row(name, payload_bytes=9)) for name in ("b.png", "a.png")]
    out = Lines()
    write(Report(title="x.bca", rows=rows, totals=totals(rows, 99)), out)
    assert [kind for kind, _ in out.found] == ["picture", "picture", "totals"]
    assert [fields["path"] for _, fields in out.found[:2]] == ["b.png", "a.png"]
    assert out.found[-1][1]["archive_bytes_on_disk"] == 99
