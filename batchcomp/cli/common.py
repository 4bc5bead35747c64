"""Options that every command has, and what they do before it starts."""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from batchcomp import __version__
from batchcomp.cli import console, session
from batchcomp.cli.config import apply_config
from batchcomp.cli.help import EVERY
from batchcomp.cli.options import MOST
from batchcomp.errors import UsageError


def _common(  # only its signature is used
    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            metavar="FILE",
            callback=apply_config,
            is_eager=True,
            rich_help_panel=EVERY,
            help="Read defaults of options here, not in batchcomp.toml of the user's configuration.",
        ),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", rich_help_panel=EVERY, help="Say only what went wrong.")] = False,
    log_file: Annotated[
        Path | None,
        typer.Option("--log-file", metavar="FILE", rich_help_panel=EVERY, help="Append messages here."),
    ] = None,
    log_size: Annotated[
        int,
        typer.Option(
            "--log-size",
            min=1,
            max=MOST,
            metavar="MIB",
            rich_help_panel=EVERY,
            help="MiB at which the log file is rotated.",
        ),
    ] = 10,
    log_keep: Annotated[
        int,
        typer.Option(
            "--log-keep", min=1, max=1000, metavar="N", rich_help_panel=EVERY, help="Rotated log files that are kept."
        ),
    ] = 5,
    nice: Annotated[
        int,
        typer.Option("--nice", min=0, max=19, metavar="N", rich_help_panel=EVERY, help="Give way to other processes."),
    ] = 0,
    trusted_input: Annotated[
        bool,
        typer.Option(
            "--trusted-input",
            rich_help_panel=EVERY,
            help="Decode with an image library that lacks security fixes.",
        ),
    ] = False,
) -> None: ...


DECODES_NOTHING = {"doctor", "export", "index", "report", "list"}

COMMON = [
    parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
    for parameter in inspect.signature(_common, eval_str=True).parameters.values()
]


def with_common(command: Callable[..., None]) -> Callable[..., None]:
    """Return the command with the common options added behind its own."""
    own = inspect.signature(command, eval_str=True)

    @functools.wraps(command)
    def run(**options: Any) -> None:
        common = {parameter.name: options.pop(parameter.name) for parameter in COMMON}
        begin(as_json=options.get("as_json") is True, **common)
        command(**options)

    run.__signature__ = own.replace(parameters=[*own.parameters.values(), *COMMON])  # type: ignore[attr-defined]
    return run


def begin(
    *,
    as_json: bool,
    config: Path | None,
    quiet: bool,
    log_file: Path | None,
    log_size: int,
    log_keep: int,
    nice: int,
    trusted_input: bool,
) -> None:
    """Do what the common options ask for.

    Raises:
        UsageError: this system knows no niceness, or the image library is too old for strangers' pictures.
        LogFileError: the log file cannot be opened.
    """
    now = session.current()
    now.as_json, now.quiet, now.config = as_json, quiet, config
    if log_file:
        from batchcomp.cli.logfile import open_log

        open_log(now, log_file, mebibytes=log_size, keep=log_keep)
        console.log(f"batchcomp {__version__}" + (f", configured by {config}" if config else ""))
    if nice:
        if not hasattr(os, "nice"):
            raise UsageError("--nice: this system has none; leave it out")
        os.nice(nice)  # of this thread, and so of all that it starts
    if now.command not in DECODES_NOTHING:
        from batchcomp.images.provider import check_provider

        check_provider(trusted=trusted_input)
