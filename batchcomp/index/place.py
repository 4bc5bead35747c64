"""Where the index of an archive lies: in the user's cache, one file for each archive and machine."""

from __future__ import annotations

import os
import platform
import time
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Final

from platformdirs import user_cache_path

from batchcomp.archive.store import Store

_SIDES: Final = ("", "-wal", "-shm", "-journal")  # what SQLite has beside a database
_FORGET_DAYS: Final = 90  # after which the index of an archive that nobody asks for is deleted
_SUFFIX: Final = ".sqlite"


def key_of(store: Store) -> str:
    """Return what the index of an archive goes by: its place, and the machine.

    Machines that share a home by a network have an index each, since the database's own locks hold on one machine.
    """
    where = os.path.realpath(store.place) if isinstance(store.place, Path) else str(store.place)
    return f"{platform.node()}:{where}"


def index_file(store: Store) -> Path | None:
    """Return where the index of an archive lies, in a folder that is there; None where there can be no such file."""
    try:
        home = user_cache_path("batchcomp", appauthor=False) / "index"
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (OSError, RuntimeError, KeyError):  # a user without a home, as services and containers have them
        return None
    name = sha256(key_of(store).encode("utf-8", "surrogateescape")).hexdigest()[:32]
    return home / f"{name}{_SUFFIX}"


def discard(file: Path) -> None:
    """Delete an index; one that cannot be deleted is left."""
    for side in _SIDES:
        with suppress(OSError):
            file.with_name(f"{file.name}{side}").unlink(missing_ok=True)


def forget_old(file: Path) -> None:
    """Note that an index is used, and delete those that were not for a season."""
    with suppress(OSError):
        os.utime(file)
        long_ago = time.time() - _FORGET_DAYS * 24 * 3600
        for other in file.parent.glob(f"*{_SUFFIX}"):
            if other.stat().st_mtime < long_ago:
                discard(other)
