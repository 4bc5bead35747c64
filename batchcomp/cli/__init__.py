"""The command line: thin commands, one module each. Importing this room imports no torch."""

from __future__ import annotations

import io
import os
import sys


def main() -> None:
    """Run `batchcomp` and leave with its exit code."""
    try:
        _main()
    except KeyboardInterrupt:  # before there was a command to interrupt
        sys.exit(130)


def _main() -> None:
    from batchcomp.cli import signals
    from batchcomp.cli.app import app

    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed by the caller
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115 - open to the end
        elif isinstance(stream, io.TextIOWrapper):  # no name may stop a run on a terminal without Unicode
            stream.reconfigure(errors="backslashreplace")
    signals.install()
    app(prog_name="batchcomp")
