"""What people see: progress and messages on stderr, results on stdout. docs/scripting.md says what programs see."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import IO, TYPE_CHECKING, Any, cast

from batchcomp.cli import session
from batchcomp.cli.streams import SafeStderr
from batchcomp.errors import ExitCode, OutputError
from batchcomp.kinds import KINDS
from batchcomp.report.text import human, pictures, printable, wrapped

if TYPE_CHECKING:
    from rich.console import Console

    from batchcomp.archive.damage import Damage
    from batchcomp.pipeline.records import Event, Expected, Outcome

SCHEMA = 1  # of every JSON line
PROBLEM = "red"  # the style of what --quiet must not hide
PIPE_WIDTH = 10_000  # columns, where no terminal says how many there are
PIPE_ROWS = 100  # of a table where no terminal says how many fit
AROUND_TABLE = 14  # lines that stand around the rows of a report's table
BATCH_LINES = 200
FATES = ("done", "planned", "unchanged", "skipped", "failed", "failed_before")  # every file has one of these
COUNTS = ("done", *KINDS, "shared", "planned", "unchanged", "otherwise", "skipped", "failed", "failed_before")
LEFT = {
    "unchanged": "unchanged",
    "skipped": "passed over",
    "failed": "failed",
    "failed_before": "failed before",
}


def out() -> Console:
    """The console for results; as wide as it takes where stdout is no terminal, so that pipes get whole rows."""
    from rich.console import Console

    return Console(highlight=False, width=None if sys.stdout.isatty() else PIPE_WIDTH)


def rows_that_fit() -> int:
    """How many rows of a table stand on one page, with what is around it."""
    return max(10, out().size.height - AROUND_TABLE) if sys.stdout.isatty() else PIPE_ROWS


def print_result(renderable: Any) -> None:
    """Print what rich makes of something on stdout; errors are those of `write`, not rich's own."""
    from rich.console import Console

    terminal, text = sys.stdout.isatty(), io.StringIO()
    console = Console(file=text, force_terminal=terminal, highlight=False, width=out().width)
    console.print(renderable)
    write(text.getvalue())


@cache
def err() -> Console:
    """The one console for progress and messages, so that a message does not tear the progress bar."""
    from rich.console import Console

    return Console(file=cast("IO[str]", SafeStderr()), highlight=False)


def shown(text: str) -> str:
    """One line, without control characters or lone surrogates, whatever a file is called."""
    return printable(text)


def say_progress(text: str) -> None:
    """Print one line on stderr where that is a terminal."""
    if err().is_terminal:
        say(text)


def say(text: str, *, style: str = "") -> None:
    """Print one line on stderr and in the log file, its content never read as markup. --quiet leaves the problems."""
    problem = style == PROBLEM
    log(text, problem=problem)
    if problem or not session.current().quiet:
        from rich.text import Text

        line = wrapped(shown(text), err().width) if err().is_terminal else shown(text)
        # the style belongs to the text alone: print's own would colour the progress bar too
        err().print(Text(line, style=style), soft_wrap=True)


def log(text: str, *, problem: bool = False) -> None:
    """Write one line to the log file, if there is one."""
    if logger := session.current().log:
        (logger.error if problem else logger.info)(shown(text))


@contextmanager
def batched() -> Iterator[None]:
    """Collect the many lines that the block writes, so that they go out in larger pieces; a reader sees them later."""
    now = session.current()
    now.batch = []
    try:
        yield
    finally:
        batch, now.batch = now.batch, None
        if batch:
            _write("".join(batch))


def write(text: str) -> None:
    """Write results to stdout, whole lines that are escaped already.

    Raises:
        BrokenPipeError: the reader has left.
        OutputError: stdout refuses otherwise, such as a full disk.
    """
    batch = session.current().batch
    if batch is None:
        _write(text)
        return
    batch.append(text)
    if len(batch) >= BATCH_LINES:
        text = "".join(batch)
        batch.clear()
        _write(text)


def _write(text: str) -> None:
    if session.current().live and sys.stdout.isatty():  # above the progress, not into it: to the same terminal
        from rich.text import Text

        err().print(Text(text), soft_wrap=True, end="")
        return
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        session.current().summarised = True  # there is nowhere to write a summary to
        raise OutputError(f"standard output: {error.strerror}; write it where there is room") from error


def remark(text: str) -> None:
    """Print a line about the run on stdout, which --quiet leaves out, and log it."""
    log(text)
    if not session.current().quiet:
        write_line(text)


def write_line(text: str) -> None:
    """Write one line of prose to stdout, broken between words where that is a terminal; errors as of `write`."""
    line = shown(text)
    write(f"{wrapped(line, out().width) if sys.stdout.isatty() else line}\n")


def json_line(kind: str, /, **fields: Any) -> None:
    """Print one JSON object on a line of stdout; a summary gets the fields that all summaries have."""
    if kind == "summary":
        fields = {**_summary_head(), **fields}
        session.current().summarised = True
    write(json.dumps({"type": kind, "schema": SCHEMA, **fields}, ensure_ascii=True) + "\n")


def last_line(code: int, error: str = "") -> str:
    """Return the summary of a run that an error ends, with the counts so far; "" where it is out, or not asked for."""
    now = session.current()
    if not now.as_json or now.summarised:
        return ""
    now.summarised = True
    counts = counts_of(now.outcome) if now.outcome else {}
    fields = {**_summary_head(), "exit_code": int(code), "error": shown(error.strip()) or None, **counts}
    return json.dumps({"type": "summary", "schema": SCHEMA, **fields}, ensure_ascii=True) + "\n"


def close(code: int, error: str = "", *, said: bool = True) -> None:
    """End a command: say the error on stderr, print the summary that JSON lines still lack, log the exit code."""
    if error and said:
        say(f"batchcomp: {error}", style=PROBLEM)
    elif error:
        log(error, problem=True)
    if line := last_line(code, error):
        write(line)
    log(f"ended with exit code {int(code)} after {session.current().seconds} s", problem=bool(code))


def _summary_head() -> dict[str, Any]:
    now = session.current()
    return {"command": now.command, "exit_code": 0, "error": None, "run_seconds": now.seconds}


def counts_of(outcome: Outcome) -> dict[str, int]:
    """What became of how many files, in the order of `COUNTS`."""
    return {name: outcome.counts[name] for name in COUNTS}


def show_damage(damage: Damage, *, as_json: bool) -> None:
    """Name one damage: a line of stderr, or a JSON line."""
    text = f"damaged: {damage}"
    if as_json:
        log(text, problem=True)
        json_line("damage", segment=damage.segment, entry=damage.entry, reason=damage.reason)
    else:
        say(text, style=PROBLEM)


def say_damage(damage: Iterable[Damage], *, as_json: bool, **counts: int) -> ExitCode:
    """Name all damage that was met while reading, close the JSON lines and return the exit code."""
    found = list(damage)
    for one in found:
        show_damage(one, as_json=as_json)
    if found and not as_json:
        say("`batchcomp repair` gets back what can be had; until then older versions may stand in", style=PROBLEM)
    code = ExitCode.DAMAGED if found else ExitCode.DONE
    if as_json:
        json_line("summary", exit_code=int(code), **counts, damaged=len(found))
    return code


def event_fields(event: Event) -> dict[str, Any]:
    """An event as plain values, for JSON."""
    from batchcomp.pipeline.records import Done, Planned
    from batchcomp.report.rows import row_fields

    if isinstance(event, Done):
        more = {name: value for name in ("left_out", "pixels", "note") if (value := getattr(event, name))}
        return {"name": event.name, **(row_fields(event.row) if event.row else {}), **more}
    unknown = isinstance(event, Planned) and event.bytes is None
    return {name: value for name, value in vars(event).items() if name != ("bytes" if unknown else "again")}


def show_event(event: Event, *, as_json: bool = False) -> None:
    """Say what a person should know at once: failures on stderr, a dry run's answer on stdout; or all as JSON lines."""
    from batchcomp.pipeline.records import Done, Expected, Failed, Passed, Planned, Waiting

    if as_json:
        json_line(type(event).__name__.lower(), **event_fields(event))
    match event:
        case Failed():
            say(f"failed: {event.reason}", style=PROBLEM)
        case Passed(failed_before=True):
            log(f"failed before: {event.reason}")
        case Passed(unchanged=False):
            log(f"passed over: {event.reason}")
        case Waiting():
            say(f"waiting: the load average is {event.load:.2f}, above --max-load {event.max_load:g}")
        case Planned() if not as_json:
            size = f", about {human(event.bytes)}" if event.bytes is not None else ""
            write(shown(f"{event.name}: {event.reason}{size}") + "\n")
        case Expected():
            show_expected(event)
        case Done(row=row) if row is not None:
            log(f"{event.name}: {row.stored}, {row.source_bytes} -> {row.payload_bytes} bytes")
            if "out of reach" in row.reason:
                say(f"{event.name}: {row.reason}")


def show_expected(event: Expected) -> None:
    """Say how much room restored pictures take, and where there is not as much."""
    short = event.free_bytes is not None and event.free_bytes < event.bytes
    room = f", but there is room for {human(event.free_bytes or 0)} only" if short else ""
    say(f"{pictures(event.pictures)}, about {human(event.bytes)} when restored{room}", style=PROBLEM if short else "")


def show_table(
    title: str,
    columns: list[tuple[str, str]],
    rows: Collection[list[str]],
    footer: list[str] | None = None,
    *,
    spare: Sequence[int] = (),
) -> None:
    """Print a table on stdout; see `tables.table_of`, and `write` for errors. `rows` may be gone through twice."""
    from batchcomp.cli.tables import LONG, long_table, table_of

    if len(rows) <= LONG:
        print_result(table_of(out(), title, columns, list(rows), footer, spare=spare))
        return
    with batched():
        for line in long_table(out(), columns, rows, footer or [], spare=spare):
            write(line + "\n")


def summarise(outcome: Outcome, verb: str, *, as_json: bool = False, **extra: Any) -> int:
    """Close a run: one summary, and the exit code."""
    counts = outcome.counts
    if as_json:
        json_line("summary", **{"exit_code": int(outcome.exit_code), **counts_of(outcome), **extra})
    parts = [f"{counts['done'] + counts['planned']} {verb}"]
    if counts["verbatim"] and verb == "stored":
        parts[0] += f" ({counts['verbatim']} as they are)"
    parts += [f"{counts[name]} {label}" for name, label in LEFT.items() if counts[name]]
    text, style = ", ".join(parts), PROBLEM if outcome.failures else "green"
    if as_json:
        log(text, problem=bool(outcome.failures))
    else:
        say(text, style=style)
    return int(outcome.exit_code)
