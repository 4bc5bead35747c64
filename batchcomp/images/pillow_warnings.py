"""Ignores Pillow's warnings: our own limits check what they warn of, and a run prints one line a file."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

_lock = threading.Lock()
_inside = 0
_filters = ExitStack()


@contextmanager
def ignore_pillow_warnings() -> Iterator[None]:
    """Ignore warnings raised in Pillow's modules while any thread is inside.

    `warnings.catch_warnings` swaps process-wide state and is not safe among threads, so only the first thread in
    sets the filter and only the last one out restores it.
    """
    _enter()
    try:
        yield
    finally:
        _leave()


def _enter() -> None:
    global _inside  # noqa: PLW0603 - counts threads, guarded by the lock
    with _lock:
        if _inside == 0:
            _filters.enter_context(warnings.catch_warnings())
            warnings.filterwarnings("ignore", module=r"PIL\.")
        _inside += 1


def _leave() -> None:
    global _inside  # noqa: PLW0603
    with _lock:
        _inside -= 1
        if _inside == 0:
            _filters.close()
