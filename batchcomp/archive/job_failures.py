"""Which files of a job's parts failed: `jobs/ID.PART.failures`, in the form of `failures.jsonl`, until it is closed."""

from __future__ import annotations

from collections.abc import Iterable

from batchcomp.archive import durable
from batchcomp.archive.failures_file import Failure, failures_bytes, read_failures
from batchcomp.archive.jobs import OpenJob
from batchcomp.archive.segments import JOBS_NAME
from batchcomp.archive.store import Location, store_of


def note_failures(where: Location, job: OpenJob, part: int, failures: Iterable[Failure]) -> None:
    """Note what failed in a part, before its segment is stored; nothing is written where nothing did.

    Raises:
        ArchiveError: the disk refuses.
    """
    store, found = store_of(where), list(failures)
    if found:
        with durable.reported(store):
            store.replace(f"{JOBS_NAME}/{job.id}.{part}.failures", failures_bytes(found))


def noted_failures(where: Location, job: OpenJob) -> list[Failure]:
    """Return what failed in all parts of a job.

    Raises:
        ArchiveError: the disk refuses.
    """
    store = store_of(where)
    with durable.reported(store):
        names = [entry.name for entry in store.entries(JOBS_NAME)]
    notes = [name for name in names if name.startswith(f"{job.id}.") and name.endswith(".failures")]
    return [failure for name in notes for failure in read_failures(store, f"{JOBS_NAME}/{name}")]
