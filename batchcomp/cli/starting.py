"""The first line of a command, while what it needs is still being loaded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from batchcomp.cli import session
from batchcomp.cli.streams import SafeStderr


@contextmanager
def starting(title: str) -> Iterator[None]:
    """Show on a terminal what is about to begin, for as long as the block loads modules; it must print nothing.

    Needs no module that is slow to load, rich neither.
    """
    terminal = SafeStderr()
    if session.current().quiet or not terminal.isatty():
        yield
        return
    line = f"{title} ..."
    terminal.write(f"{line}\r")
    terminal.flush()
    try:
        yield
    finally:
        terminal.write(f"{' ' * len(line)}\r")
        terminal.flush()
