"""The log file of `--log-file`: one line a message, rotated by size."""

from __future__ import annotations

import logging
import sys
from logging.handlers import RotatingFileHandler
from pathlib import Path

from batchcomp.cli.session import Session
from batchcomp.cli.streams import SafeStderr
from batchcomp.errors import BatchcompError

FORMAT = "%(asctime)s %(process)d %(name)s %(levelname)s %(message)s"
TIMES = "%Y-%m-%dT%H:%M:%S%z"


class LogFileError(BatchcompError):
    """The log file cannot be opened."""


class _Handler(RotatingFileHandler):
    """Says once that the log cannot be written, and lets the run go on: the archive matters more."""

    _failed = False

    def handleError(self, _record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        if not self._failed:
            self._failed = True
            # not console.say, which logs
            reason = getattr(sys.exc_info()[1], "strerror", None) or "error"
            SafeStderr().write(f"batchcomp: the log file cannot be written ({reason}); going on without it\n")


def open_log(now: Session, path: Path, *, mebibytes: int, keep: int) -> None:
    """Log to `path` until the session ends; at `mebibytes` MiB it becomes PATH.1, that PATH.2, and so on to `keep`.

    Raises:
        LogFileError: the file cannot be opened.
    """
    try:
        handler = _Handler(
            path, maxBytes=mebibytes * 2**20, backupCount=keep, encoding="utf-8", errors="backslashreplace"
        )
    except OSError as error:
        raise LogFileError(f"{path}: the log file cannot be opened ({error.strerror}); name another") from error
    handler.setFormatter(logging.Formatter(FORMAT, TIMES))
    now.log = logging.getLogger(f"batchcomp.{now.command}")
    now.log.setLevel(logging.INFO)
    now.log.propagate = False
    now.log.addHandler(handler)
