"""Waiting while the machine has other things to do."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from batchcomp.pipeline.records import Waiting

STEP = 2.0  # seconds between looks; the system itself updates the load average every 5 s


def wait_for_load(
    max_load: float | None, *, on_wait: Callable[[Waiting], None], meanwhile: Callable[[], None] = lambda: None
) -> None:
    """Return once the load average over one minute is at most `max_load`; at once if that is None.

    The load includes this run's own work of the last minute, which fades while it waits. `on_wait` is called once,
    `meanwhile` every `STEP` seconds. An interruption ends the waiting, which is done in the caller's thread.
    """
    if max_load is None or (load := os.getloadavg()[0]) <= max_load:
        return
    on_wait(Waiting(load=round(load, 2), max_load=max_load))
    while os.getloadavg()[0] > max_load:
        meanwhile()
        time.sleep(STEP)
