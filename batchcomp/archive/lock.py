"""One writer per archive: a lock of the operating system, which ends with its process."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from batchcomp.archive import durable
from batchcomp.archive.part_writer import left_over_parts
from batchcomp.archive.segments import left_over_temps, segment_numbers
from batchcomp.errors import ArchiveError, ArchiveLockedError

LOCK_NAME: Final = ".lock"
HOLDER_NAME: Final = ".lock.holder"  # who holds the lock; only a hint for people, the lock is what counts


class WriterLock:
    """The lock on an archive's folder. Readers need none: segments never change."""

    def __init__(self, folder: Path) -> None:
        from filelock import FileLock  # noqa: PLC0415  (with asyncio a tenth of what `list` takes to begin)

        self._folder = folder
        # thread_local=False: a writer may be closed by another thread than the one that opened it
        self._lock = FileLock(folder / LOCK_NAME, thread_local=False)

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


@contextmanager
def locked(folder: Path, wait: float) -> Iterator[None]:
    """Hold the lock of an archive that exists; left-over temporary files of a dead writer are deleted first.

    Raises:
        ArchiveLockedError: another process writes to the archive.
        ArchiveError: the folder cannot be written to.
    """
    lock = WriterLock(folder)
    with durable.reported(folder):
        lock.acquire(wait)
    try:
        with durable.reported(folder):
            clean_up(folder)
        yield
    finally:
        lock.release()


def await_first_segment(folder: Path, wait: float) -> None:
    """Wait at most `wait` seconds for a writer that has no segment committed yet; return at once where there is none.

    Raises:
        ArchiveLockedError: it is still writing: this is an archive, though nothing of it can be read yet.
        ArchiveError: the folder cannot be written to.
    """
    with suppress(OSError):
        if segment_numbers(folder) or not (folder / LOCK_NAME).exists():
            return
        with locked(folder, wait):
            return


def clean_up(folder: Path) -> None:
    """Delete temporary files; while the lock is held they can only be a dead writer's. Raises OSError.

    Parts of jobs are written without the lock: theirs are deleted where their owner is known to be gone.
    """
    for path in [*left_over_temps(folder), *left_over_parts(folder)]:
        durable.remove(path)
