"""Names the files in an archive's folder that look like segments and are none."""

from __future__ import annotations

from contextlib import suppress

from batchcomp.cli import console
from batchcomp.places import Place


def say_foreign(archive: Place) -> None:
    """Say once of each such file why it is left alone; --quiet leaves that out, since it is the same every night."""
    from batchcomp.archive.segments import look
    from batchcomp.archive.store import store_of

    with suppress(OSError):  # that there is no archive is said elsewhere
        store = store_of(archive)
        for one in look(store).foreign:
            console.say(f"passed over: {store.shown(one.name)}: {one.reason}")
