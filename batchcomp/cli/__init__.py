"""The command line: thin commands, one module each. Importing this room imports no torch."""

from __future__ import annotations

import io
import os
import signal
import sys

from batchcomp.errors import TERMINATED


def _terminate(_signal: int, _frame: object) -> None:
    """End as after Ctrl-C: what was finished is committed."""
    raise KeyboardInterrupt(TERMINATED)


def main() -> None:
    """Run `batchcomp` and leave with its exit code."""
    from batchcomp.cli.app import app

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a picture's name must not stop a run on a terminal without Unicode
            stream.reconfigure(errors="backslashreplace")
    signal.signal(signal.SIGTERM, _terminate)
    try:
        app(prog_name="batchcomp")
    except BrokenPipeError:  # the reader of a pipe (head, less) has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
