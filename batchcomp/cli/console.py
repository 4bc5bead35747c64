"""What people see: progress and messages on stderr, results on stdout; the only room that knows rich."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

    from batchcomp.pipeline.records import Event, Outcome

SCHEMA = 1  # of every JSON line
PIPE_WIDTH = 10_000  # columns, where no terminal says how many there are
ROOMY = 120  # columns from which a table is never stacked
COUNTS = ("done", "compact", "jpeg", "verbatim", "planned", "unchanged", "skipped", "failed")
LEFT = {"unchanged": "unchanged", "skipped": "skipped (no pictures)", "failed": "failed"}


def out() -> Console:
    """The console for results; as wide as it takes where stdout is no terminal, so that pipes get whole rows."""
    from rich.console import Console

    return Console(highlight=False, width=None if sys.stdout.isatty() else PIPE_WIDTH)


@cache
def err() -> Console:
    """The one console for progress and messages, so that a message does not tear the progress bar."""
    from rich.console import Console

    return Console(stderr=True, highlight=False)


def shown(text: str) -> str:
    """One line, without control characters or lone surrogates, whatever a file is called."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogateescape").decode() for c in text)


def say_progress(text: str) -> None:
    """Print one line on stderr where that is a terminal."""
    if err().is_terminal:
        say(text)


def say(text: str, *, style: str = "") -> None:
    """Print one line on stderr, its content never read as markup."""
    from rich.text import Text

    # the style belongs to the text alone: print's own would colour the progress bar too
    err().print(Text(shown(text), style=style), soft_wrap=not err().is_terminal)


def json_line(kind: str, **fields: Any) -> None:
    """Print one JSON object on a line of stdout."""
    sys.stdout.write(json.dumps({"type": kind, "schema": SCHEMA, **fields}, ensure_ascii=True) + "\n")
    sys.stdout.flush()


@contextmanager
def progress(title: str, *, as_json: bool = False) -> Iterator[Callable[[Event], None]]:
    """Show events as they come: JSON lines if asked for, else failures and, on a terminal, a running count."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    from batchcomp.pipeline.records import Failed

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    console = err()
    visible = console.is_terminal and not (as_json and sys.stdout.isatty())
    # rich would send what is printed on stdout to the bar's console: results must stay results
    with Progress(*columns, console=console, transient=True, disable=not visible, redirect_stdout=False) as bar:
        task = bar.add_task(title, total=None)

        def on_event(event: Event) -> None:
            bar.advance(task)
            if as_json:
                json_line(type(event).__name__.lower(), **event_fields(event))
            if not as_json or isinstance(event, Failed):
                show_event(event)

        yield on_event


def event_fields(event: Event) -> dict[str, Any]:
    """An event as plain values, for JSON."""
    from batchcomp.pipeline.records import Done
    from batchcomp.report.rows import row_fields

    if isinstance(event, Done):
        return {"name": event.name, **(row_fields(event.row) if event.row else {})}
    return dict(vars(event))


def show_event(event: Event) -> None:
    """Say what a person should know at once: failures on stderr; what a dry run is asked for on stdout."""
    from batchcomp.pipeline.records import Failed, Planned

    if isinstance(event, Failed):
        say(f"failed: {event.reason}", style="red")
    elif isinstance(event, Planned):
        sys.stdout.write(shown(f"{event.name}: {event.reason}") + "\n")


def table_of(
    title: str,
    columns: list[tuple[str, str]],
    rows: list[list[str]],
    footer: list[str] | None = None,
    *,
    stack: Sequence[Sequence[int]] = (),
) -> Any:
    """A rich table; `columns` are (heading, justify), every cell is plain text.

    `stack` says which columns stand above each other where the terminal is too narrow for one line a row.
    """
    alone = [(number,) for number in range(len(columns))]
    table = _table(title, columns, rows, footer, alone)
    console = out()
    needed = console.measure(table, options=console.options.update(width=PIPE_WIDTH)).maximum
    if stack and console.width < min(ROOMY, needed):
        return _table(title, columns, rows, footer, stack)
    return table


def _table(
    title: str,
    columns: list[tuple[str, str]],
    rows: list[list[str]],
    footer: list[str] | None,
    groups: Sequence[Sequence[int]],
) -> Any:
    from rich import box
    from rich.table import Table

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


def _text(cells: list[str], group: Sequence[int]) -> Any:
    """Cells one above the other; below the first of a row they are indented, so that rows can be told apart."""
    from rich.text import Text

    indent = "  " if group[0] == 0 else ""
    return Text(f"\n{indent}".join(shown(cells[number]) for number in group).rstrip())


def summarise(outcome: Outcome, verb: str, *, as_json: bool = False, **extra: Any) -> int:
    """Close a run: one summary, and the exit code."""
    counts = outcome.counts
    if as_json:
        json_line("summary", exit_code=int(outcome.exit_code), **{name: counts[name] for name in COUNTS}, **extra)
        return int(outcome.exit_code)
    parts = [f"{counts['done'] + counts['planned']} {verb}"]
    if counts["verbatim"] and verb == "stored":
        parts[0] += f" ({counts['verbatim']} as they are)"
    parts += [f"{counts[name]} {label}" for name, label in LEFT.items() if counts[name]]
    say(", ".join(parts), style="red" if outcome.failures else "green")
    return int(outcome.exit_code)
