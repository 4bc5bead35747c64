"""Arguments and options that the benchmarks share, and how they write and show what they found."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from json import JSONDecodeError
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from batchcomp.cli import console
from batchcomp.errors import UsageError
from batchcomp.settings import MAX_JOBS

if TYPE_CHECKING:
    from batchcomp.report.sheet import Sheet

SPEED = "speed"  # the stage that times
PicturesArg = Annotated[list[Path], typer.Argument(metavar="PATH", help="Pictures, or folders of them.")]
OptionalPicturesArg = Annotated[list[Path] | None, typer.Argument(help="Pictures, or folders of them.")]
JsonFileOpt = Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write everything measured here.")]
ProcessesOpt = Annotated[
    int,
    typer.Option(
        "--jobs", "-j", metavar="N", min=0, max=MAX_JOBS, help="Processes; 0: one a core. On a GPU always one."
    ),
]


@contextmanager
def told(title: str, count: int) -> Iterator[Callable[[str, str], None]]:
    """Show how far measuring is, and yield what it tells: a stage, and the name of what it has just done.

    Each stage but the timing takes `count` pictures.
    """
    from batchcomp.cli.gauge import showing

    with showing(title) as amount:
        stage = ""

        def on_done(now: str, name: str) -> None:
            nonlocal stage
            if now != stage:
                stage = now
                amount.begin(*(("timed", 0) if now == SPEED else ("pictures", count)))
            amount.advance(1, f"{now}: {name}")

        yield on_done


def processes_on(device: str, jobs: int) -> int:
    """How many processes measure: as many as asked for on a CPU; one on a GPU, which each would open for itself."""
    from batchcomp.settings import available_cores

    return (jobs or available_cores()) if device == "cpu" else 1


def model_name(model: Path | None) -> str:
    """What results call a model: the shipped one's name, or that of its file."""
    from batchcomp.report.trade import DEFAULT

    return model.stem if model else DEFAULT


@contextmanager
def reading_json(path: Path, option: str = "") -> Iterator[None]:
    """Say in one line what is wrong with a file that `--json` should have written.

    Raises:
        UsageError: it cannot be read, or is no such file.
    """
    try:
        yield
    except (OSError, ValueError) as error:
        reason: object = error.strerror if isinstance(error, OSError) else error
        if isinstance(error, UnicodeDecodeError | JSONDecodeError):
            reason = "is no JSON"
        raise UsageError(f"{option}{path}: {reason}; name a file that --json wrote") from error


def write_json(path: Path | None, text: str) -> None:
    """Write the JSON file, if one was asked for. Raises FileError."""
    if path:
        from batchcomp.images.save import write_result

        write_result(text.encode(), path, overwrite=True)


def show(sheets: Iterable[Sheet]) -> None:
    """Print tables on stdout."""
    for sheet in sheets:
        console.show_table(sheet.title, sheet.columns, sheet.rows)
