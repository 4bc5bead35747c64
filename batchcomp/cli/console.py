"""What people see: progress and messages on stderr, results on stdout; the only room that knows rich."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

    from batchcomp.pipeline.records import Event, Outcome

SCHEMA = 1  # of every JSON line


def out() -> Console:
    """The console for results; full width where stdout is no terminal, so that pipes get whole rows."""
    from rich.console import Console

    console = Console(highlight=False)
    if not sys.stdout.isatty():
        console = Console(highlight=False, width=160)
    return console


def err() -> Console:
    """The console for progress and messages."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, soft_wrap=True)


def shown(text: str) -> str:
    """One line, without control characters or lone surrogates, whatever a file is called."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogateescape").decode() for c in text)


def say(text: str, *, style: str = "") -> None:
    """Print one line on stderr, its content never read as markup."""
    err().print(shown(text), style=style or None, markup=False)


def json_line(kind: str, **fields: Any) -> None:
    """Print one JSON object on a line of stdout."""
    sys.stdout.write(json.dumps({"type": kind, "schema": SCHEMA, **fields}, ensure_ascii=True) + "\n")
    sys.stdout.flush()


@contextmanager
def progress(title: str, *, as_json: bool = False) -> Iterator[Callable[[Event], None]]:
    """Show events as they come: JSON lines if asked for, else failures and, on a terminal, a running count."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    console = err()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(title, total=None)

        def on_event(event: Event) -> None:
            bar.advance(task)
            if as_json:
                json_line(type(event).__name__.lower(), **event_fields(event))
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
    """Say what a person should know at once: failures, and pictures of no use to the codec."""
    from batchcomp.pipeline.records import Failed

    if isinstance(event, Failed):
        say(f"failed: {event.reason}", style="red")


def table_of(title: str, columns: list[tuple[str, str]], rows: list[list[str]], footer: list[str] | None = None) -> Any:
    """A rich table; `columns` are (heading, justify), every cell is plain text."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(shown(title)) if title else None, box=box.SIMPLE_HEAD, show_footer=footer is not None)
    for number, (heading, justify) in enumerate(columns):
        table.add_column(
            Text(heading),
            justify=justify,  # type: ignore[arg-type]
            footer=Text(footer[number]) if footer else "",
            overflow="fold",
            no_wrap=number > 0,
        )
    for row in rows:
        table.add_row(*(Text(shown(cell)) for cell in row))
    return table


def summarise(outcome: Outcome, verb: str, *, as_json: bool = False, **extra: Any) -> int:
    """Close a run: one summary, and the exit code."""
    counts = outcome.counts
    if as_json:
        json_line("summary", exit_code=int(outcome.exit_code), **dict(counts), **extra)
        return int(outcome.exit_code)
    parts = [f"{counts['done']} {verb}"]
    if counts["verbatim"] and verb == "stored":
        parts[0] += f" ({counts['verbatim']} verbatim)"
    parts += [f"{counts[name]} {name}" for name in ("unchanged", "skipped", "failed") if counts[name]]
    say(", ".join(parts), style="red" if outcome.failures else "green")
    return int(outcome.exit_code)
