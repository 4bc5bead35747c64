"""Tables on a terminal. Imported when one is shown, because rich takes its time."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from batchcomp.report.text import printable

ROOMY = 120  # columns from which a table is never stacked
LONGEST = 10_000  # columns, more than any table has


def table_of(
    console: Console,
    title: str,
    columns: list[tuple[str, str]],
    rows: list[list[str]],
    footer: list[str] | None = None,
    *,
    stack: Sequence[Sequence[int]] = (),
) -> Table:
    """A rich table; `columns` are (heading, justify), every cell is plain text.

    `stack` says which columns stand above each other where the terminal is too narrow for one line a row.
    """
    alone = [(number,) for number in range(len(columns))]
    table = _table(title, columns, rows, footer, alone)
    needed = console.measure(table, options=console.options.update(width=LONGEST)).maximum
    if stack and console.width < min(ROOMY, needed):
        return _table(title, columns, rows, footer, stack)
    return table


def _table(
    title: str,
    columns: list[tuple[str, str]],
    rows: list[list[str]],
    footer: list[str] | None,
    groups: Sequence[Sequence[int]],
) -> Table:
    table = Table(title=_text([title], [0]) if title else None, box=box.SIMPLE_HEAD, show_footer=footer is not None)
    headings = [heading for heading, _ in columns]
    for number, group in enumerate(groups):
        table.add_column(
            _text(headings, group),
            justify=columns[group[0]][1],  # type: ignore[arg-type]
            footer=_text(footer, group) if footer else "",
            overflow="fold",
            no_wrap=number > 0,
        )
    for row in rows:
        table.add_row(*(_text(row, group) for group in groups))
    return table


def _text(cells: list[str], group: Sequence[int]) -> Text:
    """Cells one above the other; below the first of a row they are indented, so that rows can be told apart."""
    indent = "  " if group[0] == 0 else ""
    return Text(f"\n{indent}".join(printable(cells[number]) for number in group).rstrip())
