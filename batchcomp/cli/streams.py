"""Standard streams that refuse: a full disk, a terminal or a reader that is gone."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TextIO


class SafeStderr(io.TextIOBase):
    """Standard error as it is at the time, without its errors: a message that nobody can get must not end a run.

    Once it refuses (a full disk, a terminal or reader that is gone), what follows goes nowhere.
    """

    def write(self, text: str) -> int:
        """See `io.TextIOBase`."""
        with self._errors_ignored():
            self._stream().write(text)
        return len(text)

    def flush(self) -> None:
        """See `io.TextIOBase`."""
        with self._errors_ignored():
            self._stream().flush()

    def isatty(self) -> bool:
        """See `io.TextIOBase`."""
        return self._stream().isatty()

    def fileno(self) -> int:
        """See `io.TextIOBase`."""
        return self._stream().fileno()

    @property
    def encoding(self) -> str:  # type: ignore[override]  # read-only is all that rich needs
        """See `io.TextIOBase`."""
        return self._stream().encoding or "utf-8"

    @staticmethod
    @contextmanager
    def _errors_ignored() -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError):  # ValueError: the stream was closed
            discard(SafeStderr._stream())

    @staticmethod
    def _stream() -> TextIO:
        """Behind what rich puts there while a progress bar is drawn, which would write here again."""
        stream: TextIO = getattr(sys.stderr, "rich_proxied_file", sys.stderr)
        return stream


def discard(stream: TextIO) -> None:
    """Send what a stream still holds, and all that follows, to nowhere, so that it cannot fail again at the end."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
