"""Whole commands bound to one core and to two: what the model of more cores (`report.scaling`) is held against."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from batchcomp.benchmark.wholes import Command, CommandRun, bulk_runs
from batchcomp.settings import available_cores

COUNTS: Final = 1, 2  # cores that most machines have


@contextmanager
def bound_to(cores: int) -> Iterator[None]:
    """Let this thread, and the processes that it starts, use the first so many of its cores, where the system can."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(before)[:cores])
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def scaling_runs(
    command: Command, sources: Path, megapixels: float, counts: Sequence[int] = COUNTS
) -> list[CommandRun]:
    """Compress the files in `sources`, measured and not, and decode them, on each number of cores that there is."""
    found = []
    for cores in counts:
        if cores <= available_cores():
            with bound_to(cores):
                mark = f", {cores} core{'s' if cores > 1 else ''}"
                found += bulk_runs(replace(command, threads=cores), sources, megapixels, mark)
    return found
