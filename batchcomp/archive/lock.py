"""Taking the lock on an archive, and what its holder does first."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from batchcomp.archive import durable
from batchcomp.archive.part_writer import left_over_parts
from batchcomp.archive.segments import left_over_temps, segment_numbers
from batchcomp.archive.store import Location, Lock, Store, store_of


@contextmanager
def locked(where: Location, wait: float) -> Iterator[Lock]:
    """Hold the lock of an archive that exists; left-over temporary files of a dead writer are deleted first.

    Raises:
        ArchiveLockedError: another process writes to the archive.
        ArchiveError: the store cannot be written to.
    """
    store = store_of(where)
    lock = store.lock()
    with durable.reported(store):
        lock.acquire(wait)
    try:
        with durable.reported(store):
            clean_up(store)
        yield lock
    finally:
        lock.release()


def await_first_segment(where: Location, wait: float) -> None:
    """Wait at most `wait` seconds for a writer that has no segment committed yet; return at once where there is none.

    Raises:
        ArchiveLockedError: it is still writing: this is an archive, though nothing of it can be read yet.
        ArchiveError: the store cannot be written to.
    """
    store = store_of(where)
    with suppress(OSError):
        if segment_numbers(store) or not store.lock().exists():
            return
        with locked(store, wait):
            return


def clean_up(store: Store) -> None:
    """Delete temporary files; while the lock is held they can only be a dead writer's. Raises OSError.

    Parts of jobs are written without the lock: theirs are deleted where their owner is known to be gone.
    """
    for name in [*left_over_temps(store), *left_over_parts(store)]:
        store.delete(name)
