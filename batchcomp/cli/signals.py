"""SIGINT, SIGTERM and SIGHUP: the first ends the run in good order, the second at once."""

from __future__ import annotations

import os
import select
import signal
import sys
from contextlib import suppress

from batchcomp.cli import console
from batchcomp.errors import SIGNAL_CODES, ExitCode
from batchcomp.interrupts import interrupt

AGAIN = "interrupted; finishing what is open, interrupt again to abort at once"
ABORTED = "interrupted twice, aborted; what was committed is kept, run again to go on"

_received: list[int] = []


def install() -> None:
    """Handle these signals, unless the caller had them ignored, as `nohup` and `command &` in a script do."""
    for name in SIGNAL_CODES:
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _on_signal)


def _on_signal(number: int, _frame: object) -> None:
    _received.append(number)
    if len(_received) > 1:
        _abort()
    if sys.stderr is not None and sys.stderr.isatty():
        _write(2, f"batchcomp: {AGAIN}\n")
    interrupt(KeyboardInterrupt(signal.Signals(number).name))


def exit_code(interruption: KeyboardInterrupt) -> ExitCode:
    """129 after SIGHUP, 130 after SIGINT, 143 after SIGTERM."""
    return SIGNAL_CODES.get(str(interruption), ExitCode.INTERRUPTED)


def _abort() -> None:
    """Leave as if the power failed, which an archive survives; the lock goes with the process."""
    code = SIGNAL_CODES[signal.Signals(_received[0]).name]
    if len(_received) == 2:  # a third signal finds one of these blocked
        _write(2, f"batchcomp: {ABORTED}\n")
        _write(1, console.last_line(code, ABORTED))
    os._exit(code)


def _write(stream: int, text: str) -> None:
    """Write past Python's buffers, which the interrupted code may hold; never where that would block."""
    with suppress(OSError, ValueError):
        if text and select.select([], [stream], [], 0)[1]:
            os.write(stream, text.encode())
