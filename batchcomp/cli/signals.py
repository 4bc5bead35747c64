"""SIGINT and SIGTERM: the first ends the run in good order, the second at once."""

from __future__ import annotations

import os
import select
import signal
import sys
from contextlib import suppress

from batchcomp.cli import console
from batchcomp.errors import TERMINATED, ExitCode
from batchcomp.interrupts import interrupt

AGAIN = "interrupted; finishing what is open, interrupt again to abort at once"
ABORTED = "interrupted twice, aborted; what was committed is kept, run again to go on"

_received: list[int] = []


def install() -> None:
    """Handle both signals, unless the caller had them ignored (as `command &` in a script does with SIGINT)."""
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _on_signal)


def _on_signal(number: int, _frame: object) -> None:
    _received.append(number)
    if len(_received) > 1:
        _abort()
    if sys.stderr is not None and sys.stderr.isatty():
        _write(2, f"batchcomp: {AGAIN}\n")
    interrupt(KeyboardInterrupt(*[TERMINATED] * (number == signal.SIGTERM)))


def exit_code(interruption: KeyboardInterrupt) -> ExitCode:
    """130 after SIGINT, 143 after SIGTERM."""
    return ExitCode.TERMINATED if TERMINATED in interruption.args else ExitCode.INTERRUPTED


def _abort() -> None:
    """Leave as if the power failed, which an archive survives; the lock goes with the process."""
    code = ExitCode.TERMINATED if _received[0] == signal.SIGTERM else ExitCode.INTERRUPTED
    if len(_received) == 2:  # a third signal finds one of these blocked
        _write(2, f"batchcomp: {ABORTED}\n")
        _write(1, console.last_line(code, ABORTED))
    os._exit(code)


def _write(stream: int, text: str) -> None:
    """Write past Python's buffers, which the interrupted code may hold; never where that would block."""
    with suppress(OSError, ValueError):
        if text and select.select([], [stream], [], 0)[1]:
            os.write(stream, text.encode())
