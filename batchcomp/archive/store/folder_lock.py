"""One writer per archive: a lock of the operating system, which ends with its process."""

from __future__ import annotations

import json
import os
import platform
from contextlib import suppress
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from batchcomp.archive import durable
from batchcomp.errors import ArchiveError, ArchiveLockedError

if TYPE_CHECKING:
    from filelock import FileLock

LOCK_NAME: Final = ".lock"
HOLDER_NAME: Final = ".lock.holder"  # who holds the lock; only a hint for people, the lock is what counts


class WriterLock:
    """The lock on an archive's folder. Readers need none: segments never change."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @cached_property
    def _lock(self) -> FileLock:
        from filelock import FileLock  # noqa: PLC0415  (with asyncio a tenth of what `list` takes to begin)

        # thread_local=False: a writer may be closed by another thread than the one that opened it
        return FileLock(self._folder / LOCK_NAME, thread_local=False)

    def acquire(self, wait: float) -> None:
        """Take the lock, waiting at most `wait` seconds.

        Raises:
            ArchiveLockedError: another process holds it; the message names that process.
            OSError: the lock cannot be written.
        """
        try:
            self._lock.acquire(timeout=max(wait, 0))
        except TimeoutError:
            raise ArchiveLockedError(
                f"{self._folder}: {self._describe_holder()} is writing to this archive; "
                "run again when it is done, or wait for it with --lock-wait SECONDS"
            ) from None
        except NotImplementedError as error:  # no lock of any kind on this disk
            raise ArchiveError(
                f"{self._folder}: its disk does not support locks; keep the archive on another disk"
            ) from error
        try:
            self._write_holder()
        except BaseException:
            self.release()
            raise

    def exists(self) -> bool:
        """Tell whether there is a lock's file."""
        return (self._folder / LOCK_NAME).exists()

    def release(self) -> None:
        """Give the lock back; harmless if it is not held."""
        if self._lock.is_locked:
            with suppress(OSError):  # the folder may be gone; without the lock the file means nothing
                durable.remove(self._folder / HOLDER_NAME)
            self._lock.release()

    def remove(self) -> None:
        """Delete the files of the lock while it is held; a process that waits for it notices and tries again."""
        durable.remove(self._folder / HOLDER_NAME)
        durable.remove(self._folder / LOCK_NAME)

    def _write_holder(self) -> None:
        since = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        holder = {"host": platform.node(), "pid": os.getpid(), "since": since}
        durable.atomic_write(self._folder / HOLDER_NAME, json.dumps(holder).encode())

    def _describe_holder(self) -> str:
        try:
            holder = json.loads((self._folder / HOLDER_NAME).read_bytes()[:4096])
            pid, host, since = int(holder["pid"]), str(holder["host"]), str(holder["since"])
        except (OSError, ValueError, TypeError, KeyError, RecursionError):  # just taken, or just given back
            return "another process"
        return f"process {pid} on {host[:100]!r} (since {since[:100]!r})".replace("'", "")
