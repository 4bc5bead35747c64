"""`batchcomp bench`."""

from __future__ import annotations

import typer


def bench() -> None:
    """Placeholder while the benchmark room is built."""
    raise typer.Exit(1)
