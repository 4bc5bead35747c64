"""Interruptions (Ctrl-C, SIGTERM) that wait while something is done that must not be cut in two."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass
class _State:
    depth: int = 0  # blocks of `held` that the main thread is in
    waiting: KeyboardInterrupt | None = None


_state = _State()


def interrupt(interruption: KeyboardInterrupt) -> None:
    """Raise the interruption, or keep it until the block of `held` ends. For signal handlers: main thread only."""
    if not _state.depth:
        raise interruption
    _state.waiting = interruption


@contextmanager
def held() -> Iterator[None]:
    """Let interruptions wait until the block has ended; what the block raised becomes a note of theirs.

    Handlers of signals run in the main thread, so in other threads there is nothing to hold.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _state.depth += 1
    try:
        yield
    except Exception as error:
        _leave(error)
        raise
    except BaseException:
        _state.depth -= 1
        raise
    _leave(None)


def _leave(error: Exception | None) -> None:
    _state.depth -= 1
    if _state.depth or _state.waiting is None:
        return
    interruption, _state.waiting = _state.waiting, None
    if error is not None:
        interruption.add_note(str(error))
    raise interruption from error
