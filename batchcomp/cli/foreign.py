"""Names the files in an archive's folder that look like segments and are none."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from batchcomp.cli import console


def say_foreign(archive: Path) -> None:
    """Say once of each such file why it is left alone; --quiet leaves that out, since it is the same every night."""
    from batchcomp.archive.segments import look

    with suppress(OSError):  # that there is no archive is said elsewhere
        for one in look(archive).foreign:
            console.say(f"passed over: {archive / one.name}: {one.reason}")
