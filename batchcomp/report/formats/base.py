"""What a report format gets, and where it writes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from batchcomp.report.rows import ReportRow
from batchcomp.report.totals import Totals


@dataclass(frozen=True, kw_only=True)
class Report:
    """Everything a report says."""

    title: str  # the archive
    rows: Collection[ReportRow]  # those to be shown, in their order; may be read anew each time they are gone through
    totals: Totals  # over all pictures that were asked for
    left_out: int = 0  # pictures that would come after those


class Printer(Protocol):
    """Where a report goes; `batchcomp.cli.console` is one."""

    def write(self, text: str, /) -> None:
        """Write whole lines without control characters."""
        ...

    def write_line(self, text: str, /) -> None:
        """Write a line of prose, whatever is in it."""
        ...

    def json_line(self, kind: str, /, **fields: Any) -> None:
        """Write one JSON object with `type` and `schema` before the fields."""
        ...

    def show_table(
        self,
        title: str,
        columns: list[tuple[str, str]],
        rows: Collection[list[str]],
        footer: list[str] | None = None,
        *,
        spare: Sequence[int] = (),
    ) -> None:
        """Draw a table; `spare` are columns that can be left out where there is little room, the first one first."""
        ...


Format = Callable[[Report, Printer], None]
