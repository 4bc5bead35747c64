"""Writes one part of a job: a segment that appears whole or not at all, whoever else writes the same one."""

from __future__ import annotations

import hashlib
import os
import platform
import re
import secrets
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from batchcomp.archive import durable
from batchcomp.archive.adding import add_row, add_shared_row
from batchcomp.archive.claims import claim_of
from batchcomp.archive.damage import FoundDamageError
from batchcomp.archive.growing import GrowingSegment
from batchcomp.archive.jobs import OpenJob, open_ids
from batchcomp.archive.manifest import PartOf
from batchcomp.archive.rows import Row
from batchcomp.archive.segment import open_segment
from batchcomp.archive.segments import segment_name, segment_numbers
from batchcomp.archive.store import Location, Store, store_of
from batchcomp.errors import ArchiveError

_TEMP: Final = re.compile(r"\.[0-9]{6,}\.zip\.([a-z0-9-]{1,64})\.([0-9a-f]{8})-([0-9]{1,10})-[0-9a-f]+\.tmp")
_Content = tuple[str, str, str]  # path, SHA-256 of the source, SHA-256 of the payload


class PartTakenError(ArchiveError):
    """The number of this part has a segment that is not the same: the job was closed, or files differ by machine."""


class PartWriter:
    """The segment of one part of a job, as a context manager. Needs no lock.

        with PartWriter(folder, job, part) as writer:
            writer.add(row, payload)
            writer.commit()

    Without `commit` nothing is left of it. From the same rows and payloads the same bytes follow, wherever and
    whenever it is written.
    """

    def __init__(self, where: Location, job: OpenJob, part: int) -> None:
        self._store, self._job, self._part = store_of(where), job, part
        self._segment: GrowingSegment | None = None
        self._content: list[_Content] = []

    def __enter__(self) -> Self:
        """Create the temporary file, which no other writer's clean-up deletes while this process lives.

        Raises:
            ArchiveError: the disk refuses.
        """
        number, job = self._job.number(self._part), self._job
        with durable.reported(self._store):
            self._segment = GrowingSegment(
                self._store,
                number,
                after=job.after if self._part == 1 else None,
                part_of=PartOf(job=job.id, part=self._part),
                owner=f"{job.id}.{_host()}-{os.getpid()}-{secrets.token_hex(4)}",
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._segment is not None:
            with suppress(OSError):
                self._segment.discard()

    def add(self, row: Row, payload: bytes) -> Row:
        """Write one picture; see `add_row`. Its row says nothing of seconds. Raises PictureError, ArchiveError."""
        with durable.reported(self._store):
            return self._noted(add_row(self._growing, replace(row, seconds=0.0), payload))

    def add_shared(self, row: Row, owner: Row) -> Row:
        """Add a row whose content `owner` has; see `add_shared_row`. Raises PictureError."""
        return self._noted(add_shared_row(self._growing, replace(row, seconds=0.0), owner))

    def commit(self) -> bool:
        """Give the segment its name; False where another worker has stored the same before.

        Raises:
            PartTakenError: another segment has that name.
            ArchiveError: the disk refuses.
        """
        with durable.reported(self._store):
            try:
                self._growing.finish(self._job.created)
            except (FileExistsError, FileNotFoundError):  # the latter: the job was closed, our file cleaned up
                if self._store.stat(segment_name(self._job.number(self._part))) is None:
                    raise
                self._compare()
                return False
        self._segment = None
        return True

    @property
    def _growing(self) -> GrowingSegment:
        if self._segment is None:
            raise ArchiveError(f"{self._store}: part {self._part} is not open for writing")
        return self._segment

    def _noted(self, row: Row) -> Row:
        self._content.append((row.path, row.source_sha256, row.payload_sha256))
        return row

    def _compare(self) -> None:
        number, job = self._job.number(self._part), self._job
        name = self._store.shown(segment_name(number))
        if not is_stored(self._store, job, self._part):
            raise PartTakenError(f"{name}: is not of job {job.id}, whose part {self._part} it should be; plan again")
        stored = content_of_part(self._store, number)
        if stored != self._content:
            only = len(set(self._content) - set(stored))
            raise PartTakenError(
                f"{name}: part {self._part} of job {job.id} was stored by another worker or closed, and differs: "
                f"{only} of {len(self._content)} pictures of this one are not in it; run `compress` again to take them"
            )


def is_stored(where: Location, job: OpenJob, part: int) -> bool:
    """Tell whether the segment of a part is there and says that it is that part."""
    claim = claim_of(store_of(where), segment_name(job.number(part)))
    return claim is not None and claim.part_of == PartOf(job=job.id, part=part)


def missing_parts(where: Location, job: OpenJob) -> list[int]:
    """Return the parts of a job whose numbers have no segment yet."""
    there = set(segment_numbers(where))
    return [part for part, number in enumerate(job.numbers, 1) if number not in there]


def content_of_part(where: Location, number: int) -> list[_Content]:
    """Return path and checksums of each row in a segment; nothing where it is damaged."""
    try:
        rows = list(open_segment(where, number).rows(lambda _damage: None))
    except FoundDamageError:
        return []
    return [(row.path, row.source_sha256, row.payload_sha256) for row in rows]


def left_over_parts(store: Store) -> list[str]:
    """Return the names of the temporary files of parts whose job is closed, or whose process is gone.

    Those of other machines stay while their job is open: nobody can tell whether they are alive.
    """
    found = [match for entry in store.entries() if (match := _TEMP.fullmatch(entry.name)) and not entry.problem]
    jobs, here = set(open_ids(store)) if found else set(), _host()
    return [match[0] for match in found if match[1] not in jobs or (match[2] == here and not _lives(int(match[3])))]


def _host() -> str:
    """Return what stands for this machine, or this container, since it was started: 8 hex digits."""
    facts = [platform.node()]
    for name in ("/proc/sys/kernel/random/boot_id", "/proc/self/ns/pid"):
        with suppress(OSError):
            facts.append(str(Path(name).stat().st_ino) if "ns" in name else Path(name).read_text(encoding="ascii"))
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()[:8]


def _lives(process: int) -> bool:
    """Tell whether there is a process of this number; where that cannot be asked there is."""
    if os.name != "posix":
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
