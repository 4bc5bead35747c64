"""Where the index of an archive lies: in the user's cache, one file for each archive and machine."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from hashlib import sha256
from pathlib import Path
from typing import Final

from platformdirs import user_cache_path

from batchcomp.archive.store import Store
from batchcomp.index import schema

try:
    import fcntl  # Windows has none
except ImportError:
    fcntl = None  # type: ignore[assignment]

_SIDES: Final = ("", "-wal", "-shm", "-journal")  # what SQLite has beside a database
_FORGET_DAYS: Final = 90  # after which the index of an archive that nobody asks for is deleted
_SUFFIX: Final = ".sqlite"
_LOCK: Final = "-use"  # of the file that says whether an index is used


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


@contextmanager
def used(file: Path) -> Iterator[None]:
    """Keep all processes from deleting an index while this one has it open, by a shared lock on a file beside it.

    SQLite knows its files by their names: who deletes an index that is open elsewhere, and makes another one, has two
    processes write to one database by two logs. Where there are no such locks, nothing is kept; Windows needs none,
    since open files cannot be deleted there.

    Raises:
        BlockingIOError: another process was deleting it for long.
    """
    end = time.monotonic() + schema.WAIT_SECONDS
    while True:
        try:
            lock = _locked(file, alone=False)
            break
        except BlockingIOError:
            if time.monotonic() > end:
                raise
            time.sleep(schema.MOMENT)
    with lock:
        yield


def discard(file: Path) -> bool:
    """Delete an index that no process uses; return whether it is gone or may at least be tried."""
    try:
        lock = _locked(file, alone=True)
    except BlockingIOError:
        return False
    with lock:
        for side in (*_SIDES, _LOCK):
            with suppress(OSError):
                file.with_name(f"{file.name}{side}").unlink(missing_ok=True)
    return True


def forget_old(file: Path) -> None:
    """Note that an index is used, and delete those that were not for a season."""
    with suppress(OSError):
        os.utime(file)
        long_ago = time.time() - _FORGET_DAYS * 24 * 3600
        for other in file.parent.glob(f"*{_SUFFIX}"):
            if other.stat().st_mtime < long_ago:
                discard(other)


def _locked(file: Path, *, alone: bool) -> AbstractContextManager[object]:
    """Return a lock that is held until its block ends; none where there are no locks.

    Raises:
        BlockingIOError: another process uses the index, and it was to be locked alone, or is just deleting it.
    """
    if fcntl is None:
        return nullcontext()
    where = file.with_name(f"{file.name}{_LOCK}")
    how = (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB
    while True:
        with ExitStack() as held:
            try:
                descriptor = os.open(where, os.O_RDWR | os.O_CREAT, 0o600)
                held.callback(os.close, descriptor)
                fcntl.flock(descriptor, how)
                if os.path.samestat(os.fstat(descriptor), where.stat()):
                    return held.pop_all()
            except BlockingIOError:
                raise
            except FileNotFoundError:  # deleted meanwhile, with the index
                if not where.parent.is_dir():
                    return nullcontext()
            except OSError:
                return nullcontext()
