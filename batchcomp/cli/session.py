"""What the command that runs was asked for and has told so far. One command a process; tests run many."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from logging import Logger

    from batchcomp.pipeline.records import Outcome


@dataclass(kw_only=True)
class Session:
    """One command. `outcome` is None until files are worked on; `summarised` once the last JSON line is out.

    `live`: progress is drawn on the terminal now.
    """

    command: str = ""
    as_json: bool = False
    quiet: bool = False
    config: Path | None = None
    log: Logger | None = None
    outcome: Outcome | None = None
    summarised: bool = False
    live: bool = False
    batch: list[str] | None = None  # what waits to be written to stdout
    began: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        return round(time.monotonic() - self.began, 3)

    def close(self) -> None:
        """Close the log file."""
        if self.log is not None:
            for handler in list(self.log.handlers):
                self.log.removeHandler(handler)
                with suppress(OSError):  # what could not be written was told
                    handler.close()
        self.log = None


_current = Session()


def current() -> Session:
    """The session of the command that runs."""
    return _current


def begin(*, command: str = "", as_json: bool = False) -> Session:
    """Start afresh and return the new session."""
    global _current  # noqa: PLW0603 - one command a process, like sys.argv
    _current.close()
    _current = Session(command=command, as_json=as_json)
    return _current
