"""The command line: thin commands, one module each. Importing this room imports no torch."""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress

_AGAIN = "_BATCHCOMP_IN_UTF8"  # in the environment: it was tried
_THREADS = {  # for libraries that read them when they are loaded; what the user has set counts more
    "OMP_WAIT_POLICY": "PASSIVE",  # torch's threads sleep while they wait: spinning costs a fifth beside other work
    "OPENBLAS_NUM_THREADS": "1",  # numpy's products are small, and pictures are worked on side by side
}


def main() -> None:
    """Run `batchcomp` and leave with its exit code."""
    try:
        _occupy_standard_streams()
        _in_utf8()
        _main()
    except KeyboardInterrupt:  # before there was a command to interrupt
        sys.exit(130)
    except (MemoryError, ImportError, OSError) as error:  # as above
        from batchcomp.cli.memory import TOO_LITTLE_MEMORY, lacks_memory

        if not lacks_memory(error):
            raise
        sys.exit(f"batchcomp: {TOO_LITTLE_MEMORY}")


def _occupy_standard_streams() -> None:
    """Open the null device as whichever of the descriptors 0 to 2 the caller has closed.

    Else the next files that are opened, such as the archive's, get these numbers, and what a C library says goes there.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free


def _in_utf8() -> None:
    """Start again in UTF-8 where the locale has another encoding: names are bytes, and archives hold them as UTF-8.

    What is printed keeps the locale's encoding. Where this fails names are right all the same (`batchcomp.escapes`),
    but patterns that are typed may not match.
    """
    if os.name == "nt" or sys.getfilesystemencoding() == "utf-8" or not sys.executable or _AGAIN in os.environ:
        return
    os.environ[_AGAIN] = "1"
    if sys.stdout is not None:
        os.environ.setdefault("PYTHONIOENCODING", sys.stdout.encoding)
    with suppress(OSError):
        os.execv(sys.executable, [sys.executable, "-X", "utf8", *sys.orig_argv[1:]])  # noqa: S606 - our own interpreter


def _main() -> None:
    for name, value in _THREADS.items():
        os.environ.setdefault(name, value)
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
