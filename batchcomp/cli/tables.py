"""Tables on a terminal. Imported when one is shown, because rich takes its time."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import chain

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from batchcomp.report.text import columns_of, fitted, printable

LONG = 500  # rows; rich would measure each cell several times, which takes a millisecond a row
RULE = "\N{BOX DRAWINGS LIGHT HORIZONTAL}"
LONGEST = 10_000  # columns, more than any table has
LEAST = 5  # columns that a shortened name needs
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
    longest = max((columns_of(printable(row[0])) for row in rows), default=0)
    shown, room = _chosen(
        lambda some: _width(console, columns, rows, footer, some), console.width, longest, len(columns), spare
    )
    return _table(title, columns, rows, footer, shown, room if spare else LONGEST)


def long_table(
    console: Console,
    columns: list[tuple[str, str]],
    rows: Collection[list[str]],
    footer: list[str],
    *,
    spare: Sequence[int] = (),
) -> Iterator[str]:
    """Yield the lines of the same table, of any number of rows: they are gone through twice and never kept."""
    headings = [heading for heading, _ in columns]
    widths = [0] * len(columns)
    for row in chain([headings, footer], rows):
        widths = [max(width, cell_len(printable(cell))) for width, cell in zip(widths, row, strict=True)]
    shown, room = _chosen(
        lambda some: sum(widths[number] + 3 for number in some) + 1, console.width, widths[0], len(columns), spare
    )
    widths[0] = min(widths[0], room) if spare else widths[0]

    def line(cells: Sequence[str]) -> str:
        texts = [fitted(cells[number], LONGEST if number else widths[0]) for number in shown]
        padded = []
        for number, text in zip(shown, texts, strict=True):
            gap = " " * (widths[number] - cell_len(text))
            padded.append(text + gap if columns[number][1] == "left" else gap + text)
        return f"  {'   '.join(padded)}  "

    width = sum(widths[number] + 3 for number in shown) - 1
    blank = " " * (width + 2)
    yield from (blank, line(headings), f" {RULE * width} ")
    yield from map(line, rows)
    yield from (blank, line(footer), blank)


def _chosen(
    width_of: Callable[[Sequence[int]], int], console_width: int, longest: int, columns: int, spare: Sequence[int]
) -> tuple[list[int], int]:
    """Return the columns that there is room for, and how many columns of the terminal the first of them gets."""
    shown = list(range(columns))

    def room() -> int:
        return console_width - width_of(shown[1:]) - 4

    for number in spare:
        if room() >= min(longest, LEAST_NAME):
            break
        shown.remove(number)
    while spare and len(shown) > 1 and room() < LEAST:  # a figure without its name says nothing
        shown.pop()
    return shown, max(LEAST, room())


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
    return Text(fitted(cells[number], longest if number == 0 else LONGEST))
