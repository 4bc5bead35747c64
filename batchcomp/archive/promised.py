"""Numbers that open jobs keep for their segments: nobody else takes them, and where they are missing is no gap."""

from __future__ import annotations

from collections.abc import Iterable

from batchcomp.archive.jobs import open_ids, open_jobs
from batchcomp.archive.manifest import PartOf
from batchcomp.archive.store import Location


def refused_by_job(where: Location) -> str:
    """Say why nothing may be dropped while a job is open: what its parts refer to could go; "" where none is."""
    for name in open_ids(where):
        return f"{where}: job {name} is open, and may refer to what would go; first go on with it, or --finish {name}"
    return ""


def first_promised(where: Location) -> int | None:
    """Return the lowest number that an open job keeps for itself, None where there is none."""
    return min((job.first for job in open_jobs(where)), default=None)


def last_promised(where: Location) -> int:
    """Return the highest number that an open job keeps for itself, 0 where there is none."""
    return max((job.numbers[-1] for job in open_jobs(where) if job.parts), default=0)


def promised_part(where: Location, number: int) -> PartOf | None:
    """Return the part of an open job that a number is kept for; None where it is not kept."""
    owners = (job for job in open_jobs(where) if number in job.numbers)
    return next((PartOf(job=job.id, part=number - job.first + 1) for job in owners), None)


def without_promised(where: Location, gaps: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return what is left of gaps (first and last number) once the numbers of open jobs are no part of them."""
    left = list(gaps)
    if not left:
        return left  # mostly: then no job is looked at
    for job in open_jobs(where):
        first, last = job.first, job.first + job.parts - 1
        pieces = [((low, min(high, first - 1)), (max(low, last + 1), high)) for low, high in left]
        left = [piece for pair in pieces for piece in pair if piece[0] <= piece[1]]
    return left
