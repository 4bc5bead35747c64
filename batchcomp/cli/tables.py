"""Tables on a terminal. Imported when one is shown, because rich takes its time."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from batchcomp.report.text import printable, shortened

LONGEST = 10_000  # columns, more than any table has
LEAST_NAME = 24  # columns that the first cell of a row keeps, as others are left out for it


def table_of(
    console: Console,
    title: str,
    columns: list[tuple[str, str]],
    rows: list[list[str]],
    footer: list[str] | None = None,
    *,
    spare: Sequence[int] = (),
) -> Table:
    """A rich table, a line a row; `columns` are (heading, justify), every cell is plain text.

    Where the terminal is too narrow, columns are left out in the order of `spare`, and then the first cell of a row is
    shortened in its middle.
    """
    shown = list(range(len(columns)))
    for number in [*spare, None]:
        room = console.width - _width(console, columns, rows, footer, shown[1:]) - 4
        longest = max((len(printable(row[0])) for row in rows), default=0)
        if number is None or room >= min(longest, LEAST_NAME):
            break
        shown.remove(number)
    return _table(title, columns, rows, footer, shown, max(5, room) if spare else LONGEST)


def _width(
    console: Console,
    columns: list[tuple[str, str]],
    rows: list[list[str]],
    footer: list[str] | None,
    shown: Sequence[int],
) -> int:
    """Return how many columns a table of these takes."""
    table = _table("", columns, rows, footer, shown, LONGEST)
    return console.measure(table, options=console.options.update(width=LONGEST)).maximum


def _table(
    title: str,
    columns: list[tuple[str, str]],
    rows: list[list[str]],
    footer: list[str] | None,
    shown: Sequence[int],
    longest: int,
) -> Table:
    table = Table(title=Text(printable(title)) if title else None, box=box.SIMPLE_HEAD, show_footer=footer is not None)
    for number in shown:
        heading, justify = columns[number]
        table.add_column(
            Text(printable(heading)),
            justify=justify,  # type: ignore[arg-type]
            footer=_cell(footer, number, longest) if footer else "",
            overflow="fold",
            no_wrap=number > 0,
        )
    for row in rows:
        table.add_row(*(_cell(row, number, longest) for number in shown))
    return table


def _cell(cells: Sequence[str], number: int, longest: int) -> Text:
    text = printable(cells[number])
    return Text(shortened(text, longest) if number == 0 else text)
