"""Jobs: new segments of an archive in parts, each of which any machine may write at any time. See docs/format.md.

    jobs/ID.json    one line: the job, its settings, and the numbers of its segments, which nobody else takes
    jobs/ID.jsonl   one line a part: the files in it

Both are written once, under the writer's lock, and deleted when the job is closed. While it is open, its numbers that
have no segment yet are no gap. `Value` below is what the pipeline makes of a part and reads again; this room only
keeps it.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from batchcomp.archive import durable
from batchcomp.archive.claims import claim_of
from batchcomp.archive.manifest import CREATED_FORM
from batchcomp.archive.rows import crc_problem, with_crc
from batchcomp.archive.segments import JOBS_NAME, segment_name, segment_numbers
from batchcomp.archive.store import Location, Store, store_of
from batchcomp.errors import ArchiveError, UsageError

FORMAT: Final = "batchcomp-job"
VERSION: Final = 1
MAX_HEAD: Final = 64 * 2**20  # bytes
MAX_PART: Final = 64 * 2**20
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")

Value = Any  # what JSON can say


@dataclass(frozen=True, kw_only=True)
class OpenJob:
    """A job that was planned and not closed.

    Attributes:
        id: its name.
        created: the time that all its segments have, in UTC.
        after: the highest number that was given out before.
        base: the last of the segments that were all there then: its rows may refer to those and to their own part.
        first: the number of the segment of its part 1; the others follow.
        files: how many each part takes.
        spans: where the line of each part lies in `jobs/ID.jsonl`: offset and bytes.
        settings: what the pipeline was asked for.
    """

    id: str
    created: datetime
    after: int
    base: int
    first: int
    files: tuple[int, ...]
    spans: tuple[tuple[int, int], ...]
    settings: Mapping[str, Any]

    @property
    def parts(self) -> int:
        """How many parts there are, counted from 1."""
        return len(self.spans)

    @property
    def numbers(self) -> range:
        """The numbers of its segments, in the order of its parts."""
        return range(self.first, self.first + self.parts)

    def number(self, part: int) -> int:
        """The number of the segment of a part."""
        return self.numbers[part - 1]


def new_id(created: datetime) -> str:
    """Return a name for a job that no other has."""
    return f"{created:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"


def write_job(where: Location, job: OpenJob, lines: Iterable[bytes]) -> None:
    """Open a job; the caller holds the writer's lock. `lines` are those of its parts, see `part_lines`.

    Raises:
        ArchiveError: the disk refuses.
    """
    store = store_of(where)
    with durable.reported(store.shown(_head_name(job.id))):
        _forget_unfinished(store)
        store.replace(_parts_name(job.id), b"".join(lines))
        store.put_new(_head_name(job.id), _head(job))


def part_lines(values: Iterable[Value]) -> list[bytes]:
    """Return the line of each part. ASCII, so that names which are no UTF-8 can stand in it as they are."""
    return [with_crc(json.dumps({"part": value}, separators=(",", ":")).encode() + b"\n") for value in values]


def spans_of(lines: Iterable[bytes]) -> tuple[tuple[int, int], ...]:
    """Return offset and size of each line in a file of nothing else."""
    spans, at = [], 0
    for line in lines:
        spans.append((at, len(line)))
        at += len(line)
    return tuple(spans)


def find_job(where: Location, job: str) -> OpenJob:
    """Return an open job.

    Raises:
        UsageError: this cannot be the name of a job, or there is none of this name that is open.
        ArchiveError: what it says is damaged, or the disk refuses.
    """
    if not _ID.fullmatch(job):
        raise UsageError(f"job {job[:100]!r}: expected a name such as 20261126-073000-a1b2c3")
    store = store_of(where)
    try:
        return _read(store, job)
    except (FileNotFoundError, NotADirectoryError):
        state = "is closed" if is_closed(store, job) else "there is no such job"
        raise UsageError(f"{store}: {job}: {state}; open are: {', '.join(open_ids(store)) or 'none'}") from None
    except (OSError, ValueError, RecursionError) as error:
        raise ArchiveError(f"{store.shown(_head_name(job))}: cannot be used ({_why(error)}); plan anew") from error


def is_closed(where: Location, job: str) -> bool:
    """Tell whether a job that is not open once was: whether a segment says that it is part of it."""
    store = store_of(where)
    with suppress(OSError):
        for number in reversed(segment_numbers(store)):
            claim = claim_of(store, segment_name(number))
            if claim is not None and claim.part_of is not None and claim.part_of.job == job:
                return True
    return False


def open_ids(where: Location) -> list[str]:
    """Return the names of the open jobs, the oldest first, whatever is in their files."""
    try:
        names = [entry.name for entry in store_of(where).entries(JOBS_NAME)]
    except OSError:
        return []
    return sorted(name[: -len(".json")] for name in names if name.endswith(".json") and _ID.fullmatch(name[:-5]))


def open_jobs(where: Location) -> Iterator[OpenJob]:
    """Yield the open jobs. One whose file is damaged is left out: then its missing segments are a gap."""
    store = store_of(where)
    for job in open_ids(store):
        with suppress(OSError, ValueError, RecursionError):
            yield _read(store, job)


def read_part(where: Location, job: OpenJob, part: int) -> Value:
    """Return what a part is to take.

    Raises:
        ArchiveError: what it says is damaged, or the job is closed by now.
    """
    store, name = store_of(where), _parts_name(job.id)
    try:
        return _checked(store.read(name, *job.spans[part - 1]))["part"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        step = f"run `compress -o {store} --finish {job.id}` if it is open, and compress again"
        raise ArchiveError(f"{store.shown(name)}: part {part} cannot be used ({_why(error)}); {step}") from error


def close_job(where: Location, job: OpenJob) -> None:
    """Delete what a job keeps, temporary files too; the caller holds the lock, and all its segments are there.

    Raises:
        ArchiveError: the disk refuses.
    """
    store = store_of(where)
    with durable.reported(store):
        for entry in store.entries():
            if entry.name.startswith(".") and f".zip.{job.id}." in entry.name and entry.name.endswith(".tmp"):
                store.delete(entry.name)
        for entry in store.entries(JOBS_NAME):
            if entry.name.startswith(f"{job.id}.") and not entry.name.endswith(".json"):
                store.delete(f"{JOBS_NAME}/{entry.name}")
        store.delete(_head_name(job.id))
        if isinstance(store.place, Path):
            with suppress(OSError):
                (store.place / JOBS_NAME).rmdir()  # refuses unless it was the last one


def _head_name(job: str) -> str:
    return f"{JOBS_NAME}/{job}.json"


def _parts_name(job: str) -> str:
    return f"{JOBS_NAME}/{job}.jsonl"


def _forget_unfinished(store: Store) -> None:
    """Delete what is no open job's: its planner died before there was one."""
    jobs = set(open_ids(store))
    for entry in store.entries(JOBS_NAME):
        if entry.name.partition(".")[0] not in jobs and not entry.problem:
            store.delete(f"{JOBS_NAME}/{entry.name}")


def _why(error: Exception) -> str:
    return str((error.strerror if isinstance(error, OSError) else None) or error)


def _head(job: OpenJob) -> bytes:
    value = {
        "format": FORMAT,
        "version": VERSION,
        "job": job.id,
        "created": job.created.strftime(CREATED_FORM),
        "after": job.after,
        "base": job.base,
        "first": job.first,
        "parts": [[*span, files] for span, files in zip(job.spans, job.files, strict=True)],
        "settings": job.settings,
    }
    return with_crc(json.dumps(value, separators=(",", ":")).encode() + b"\n")


def _read(store: Store, job: str) -> OpenJob:
    """Read a job's file. Raises OSError, ValueError, RecursionError."""
    data = store.read(_head_name(job), 0, MAX_HEAD + 1)
    if len(data) > MAX_HEAD:
        raise ValueError(f"it has more than {MAX_HEAD} bytes")
    value = _checked(data)
    version = value.get("version")
    if value.get("format") != FORMAT or type(version) is not int:
        raise ValueError(f"it is no {FORMAT} file")
    if version > VERSION:
        raise ValueError(f"version {version}: this build reads up to {VERSION}; upgrade batchcomp")
    try:
        return _job(value, job)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{error}: a field is missing or makes no sense") from error


def _checked(line: bytes) -> Any:
    """Return what a line that has its own checksum says. Raises ValueError, RecursionError."""
    if problem := crc_problem(line):
        raise ValueError(problem)
    return json.loads(line)


def _job(value: Mapping[str, Any], name: str) -> OpenJob:
    parts = [(_whole(offset), _whole(size, MAX_PART), _whole(files)) for offset, size, files in value["parts"]]
    if value["job"] != name or not isinstance(value["settings"], dict):
        raise ValueError("it is of another job, or without settings")
    return OpenJob(
        id=name,
        created=datetime.strptime(value["created"], CREATED_FORM).replace(tzinfo=UTC),
        after=_whole(value["after"]),
        base=_whole(value["base"]),
        first=_whole(value["first"]),
        files=tuple(files for *_, files in parts),
        spans=tuple((offset, size) for offset, size, _ in parts),
        settings=value["settings"],
    )


def _whole(value: Any, most: int = 10**12) -> int:
    if type(value) is not int or not 0 <= value <= most:
        raise ValueError(f"{value!r}: expected a whole number up to {most}")
    return value
