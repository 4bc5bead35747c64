"""Waiting while the machine has other things to do."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

from batchcomp.pipeline.records import Idle, Waiting

STEP = 2.0  # seconds between looks; the system itself updates the load average every 5 s


def wait_for_load(max_load: float | None) -> Iterator[Waiting | Idle]:
    """Wait until the load average over one minute is at most `max_load`; not at all if that is None.

    The load includes this run's own work of the last minute, which fades while it waits. Yields `Waiting` once, then
    `Idle` every `STEP` seconds, so that whoever takes these can do what is due meanwhile.
    """
    if max_load is None or (load := os.getloadavg()[0]) <= max_load:
        return
    yield Waiting(load=round(load, 2), max_load=max_load)
    while os.getloadavg()[0] > max_load:
        time.sleep(STEP)
        yield Idle()
