"""Options that several commands share, each written once."""

from __future__ import annotations

from datetime import UTC, datetime, time
from pathlib import Path
from typing import Annotated, Any

import typer

from batchcomp.cli.completion import archives, choice, models
from batchcomp.errors import UsageError
from batchcomp.places import Place, place
from batchcomp.settings import MAX_BATCH, MAX_JOBS, MAX_LOAD, MAX_WAIT

MACHINE, STORED, WHICH = "Networks and machine", "How pictures are stored", "Which files"  # panels of --help
MOST = 1_000_000_000  # of what is counted: enough for everybody, and SQLite can bear it; --help does not name it

# Any: a folder or an address (`Place`); typer takes no unions
ArchiveArg = Annotated[
    Any,
    typer.Argument(
        help="The archive; by default that of the current folder, else the one last written.",
        metavar="ARCHIVE",
        autocompletion=archives,
        parser=place,
    ),
]
NamedArchiveArg = Annotated[
    Any,
    typer.Argument(help="The archive; it must be named.", metavar="ARCHIVE", autocompletion=archives, parser=place),
]
DeviceOpt = Annotated[
    str,
    typer.Option(
        "--device",
        metavar="DEVICE",
        rich_help_panel=MACHINE,
        autocompletion=choice("auto", "cpu", "cuda", "mps"),
        help="auto, cpu, cuda or mps.",
    ),
]
JobsOpt = Annotated[
    int,
    typer.Option(
        "--jobs",
        "-j",
        min=0,
        max=MAX_JOBS,
        metavar="N",
        rich_help_panel=MACHINE,
        help="Parallel workers; 0: one a core.",
    ),
]
BatchOpt = Annotated[
    str,
    typer.Option(
        "--batch-size",
        metavar="N",
        rich_help_panel=MACHINE,
        autocompletion=choice("auto"),
        help="Tiles the device works on at once, or auto.",
    ),
]
ModelOpt = Annotated[
    Path | None,
    typer.Option(
        "--model",
        metavar="MODEL",
        rich_help_panel=MACHINE,
        autocompletion=models,
        help="A shipped model's name (default, fast, ...), or a file written by `batchcomp train`.",
    ),
]
MaxLoadOpt = Annotated[
    float | None,
    typer.Option(
        "--max-load",
        min=0.01,
        max=MAX_LOAD,
        metavar="LOAD",
        rich_help_panel=MACHINE,
        help="Wait while the load average (1 minute) is above this.",
    ),
]
LockWaitOpt = Annotated[
    float,
    typer.Option(
        "--lock-wait",
        min=0,
        max=MAX_WAIT,
        metavar="SECONDS",
        rich_help_panel=MACHINE,
        help="Wait so long for another run to finish.",
    ),
]
AtOpt = Annotated[
    str | None,
    typer.Option("--at", metavar="DATE", help="What the archive held then: 2026-11-01 (its end), 2026-11-01T12:30."),
]
VersionOpt = Annotated[
    int | None,
    typer.Option(
        "--version",
        min=-MOST,
        max=MOST,
        metavar="N",
        help="That version of each picture that has it: 1 oldest, -1 newest.",
    ),
]
OutsideOpt = Annotated[
    bool, typer.Option("--outside", help="List the files that stay outside the archive since they failed, and why.")
]
JsonOpt = Annotated[bool, typer.Option("--json", help="JSON lines on stdout instead of text.")]


def moment(text: str) -> datetime:
    """Turn `--at` into a moment: a date alone is its end; a time without a zone is this machine's.

    Raises:
        UsageError: it is no date.
    """
    try:
        date_only = len(text) <= len("2026-11-01") and "T" not in text
        found = datetime.fromisoformat(text)
        if date_only:
            found = datetime.combine(found.date(), time.max)
        return found.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        raise UsageError(
            f"--at {text!r}: expected a date such as 2026-11-01, or 2026-11-01T12:30, or with a zone 2026-11-01T12:30Z"
        ) from None


def check_places(source: Place, output: Path, *, versioned: bool) -> None:
    """Refuse an output folder that is a file, and versions of a lone file.

    Raises:
        UsageError: one of them is given.
    """
    if source.is_file() and versioned:
        raise UsageError(
            f"{source}: is a file, which has no versions; name an archive, or leave --version and --at out"
        )
    if output.exists() and not output.is_dir():
        raise UsageError(f"{output}: is a file, not a folder; choose another folder with -o")


def batch_size(value: str) -> int | None:
    """Turn `--batch-size` into a number, None for auto."""
    if value == "auto":
        return None
    if not value.isdecimal() or len(value) > len(str(MAX_BATCH)) or not 1 <= int(value) <= MAX_BATCH:
        raise typer.BadParameter(
            f"{value!r}: expected auto or a whole number from 1 to {MAX_BATCH}", param_hint="--batch-size"
        )
    return int(value)
