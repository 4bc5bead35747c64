"""The command line: thin commands, one module each. Importing this room imports no torch."""

from __future__ import annotations

import io
import os
import sys


def main() -> None:
    """Run `batchcomp` and leave with its exit code."""
    from batchcomp.cli.app import app

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a picture's name must not stop a run on a terminal without Unicode
            stream.reconfigure(errors="backslashreplace")
    try:
        app(prog_name="batchcomp")
    except BrokenPipeError:  # the reader of a pipe (head, less) has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
