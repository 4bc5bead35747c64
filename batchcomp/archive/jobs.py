"""Jobs: new segments of an archive in parts, each of which any machine may write at any time. See docs/format.md.

    jobs/ID.json    one line: the job, its settings, and the numbers of its segments, which nobody else takes
    jobs/ID.jsonl   one line a part: the files in it

Both are written once, under the writer's lock, and deleted when the job is closed. While it is open, its numbers that
have no segment yet are no gap. `Value` below is what the pipeline makes of a part and reads again; this room only
keeps it.
"""

from __future__ import annotations

import json
import os
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
from batchcomp.archive.manifest import CREATED_FORM, PartOf
from batchcomp.archive.rows import crc_problem, with_crc
from batchcomp.archive.segments import JOBS_NAME, segment_name, segment_numbers, temp_name
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
        after: the number of the last segment before, to which its rows may refer.
        first: the number of the segment of its part 1; the others follow.
        files: how many each part takes.
        spans: where the line of each part lies in `jobs/ID.jsonl`: offset and bytes.
        settings: what the pipeline was asked for.
    """

    id: str
    created: datetime
    after: int
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


def write_job(folder: Path, job: OpenJob, lines: Iterable[bytes]) -> None:
    """Open a job; the caller holds the writer's lock. `lines` are those of its parts, see `part_lines`.

    Raises:
        ArchiveError: the disk refuses.
    """
    place = folder / JOBS_NAME
    with durable.reported(place):
        durable.make_folder(place)
        _forget_unfinished(place)
        durable.atomic_write(place / f"{job.id}.jsonl", b"".join(lines))
        durable.atomic_write(place / f"{job.id}.json", _head(job))


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


def find_job(folder: Path, job: str) -> OpenJob:
    """Return an open job.

    Raises:
        UsageError: this cannot be the name of a job, or there is none of this name that is open.
        ArchiveError: what it says is damaged, or the disk refuses.
    """
    if not _ID.fullmatch(job):
        raise UsageError(f"job {job[:100]!r}: expected a name such as 20261126-073000-a1b2c3")
    path = folder / JOBS_NAME / f"{job}.json"
    try:
        return _read(path)
    except (FileNotFoundError, NotADirectoryError):
        state = "is closed" if is_closed(folder, job) else "there is no such job"
        raise UsageError(f"{folder}: {job}: {state}; open are: {', '.join(open_ids(folder)) or 'none'}") from None
    except (OSError, ValueError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise ArchiveError(f"{path}: cannot be used ({reason}); plan again, and `--finish` no other job") from error


def is_closed(folder: Path, job: str) -> bool:
    """Tell whether a job that is not open once was: whether a segment says that it is part of it."""
    with suppress(OSError):
        for number in reversed(segment_numbers(folder)):
            claim = claim_of(folder / segment_name(number))
            if claim is not None and claim.part_of is not None and claim.part_of.job == job:
                return True
    return False


def open_ids(folder: Path) -> list[str]:
    """Return the names of the open jobs, the oldest first, whatever is in their files."""
    try:
        names = [path.name for path in (folder / JOBS_NAME).iterdir()]
    except OSError:
        return []
    return sorted(name[: -len(".json")] for name in names if name.endswith(".json") and _ID.fullmatch(name[:-5]))


def open_jobs(folder: Path) -> Iterator[OpenJob]:
    """Yield the open jobs. One whose file is damaged is left out: then its missing segments are a gap."""
    for job in open_ids(folder):
        with suppress(OSError, ValueError, RecursionError):
            yield _read(folder / JOBS_NAME / f"{job}.json")


def check_no_job(folder: Path, why: str) -> None:
    """Refuse what must not be done while a job is open.

    Raises:
        UsageError: one is.
    """
    if names := open_ids(folder):
        raise UsageError(f"{folder}: job {names[0]} is open: {why}; first go on with it, or --finish {names[0]}")


def last_promised(folder: Path) -> int:
    """Return the highest number that an open job keeps for itself, 0 where there is none."""
    return max((job.numbers[-1] for job in open_jobs(folder) if job.parts), default=0)


def promised_part(folder: Path, number: int) -> PartOf | None:
    """Return the part of an open job that a number is kept for; None where it is not kept."""
    owners = (job for job in open_jobs(folder) if number in job.numbers)
    return next((PartOf(job=job.id, part=number - job.first + 1) for job in owners), None)


def without_promised(folder: Path, gaps: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return what is left of gaps (first and last number) once the numbers of open jobs are no part of them."""
    left = list(gaps)
    if not left:
        return left  # mostly: then no job is looked at
    for job in open_jobs(folder):
        first, last = job.first, job.first + job.parts - 1
        pieces = [((low, min(high, first - 1)), (max(low, last + 1), high)) for low, high in left]
        left = [piece for pair in pieces for piece in pair if piece[0] <= piece[1]]
    return left


def read_part(folder: Path, job: OpenJob, part: int) -> Value:
    """Return what a part is to take.

    Raises:
        ArchiveError: what it says is damaged, or the job is closed by now.
    """
    path = folder / JOBS_NAME / f"{job.id}.jsonl"
    offset, size = job.spans[part - 1]
    try:
        with path.open("rb") as file:
            file.seek(offset)
            return _checked(file.read(size))["part"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        step = f"run `compress -o {folder} --finish {job.id}` and compress again"
        raise ArchiveError(f"{path}: part {part} cannot be used ({reason}); {step}") from error


def close_job(folder: Path, job: OpenJob) -> None:
    """Delete what a job keeps, temporary files too; the caller holds the lock, and all its segments are there.

    Raises:
        ArchiveError: the disk refuses.
    """
    place = folder / JOBS_NAME
    with durable.reported(place):
        for path in folder.glob(f".*.zip.{job.id}.*.tmp"):
            durable.remove(path)
        durable.remove(place / f"{job.id}.jsonl")
        durable.remove(place / f"{job.id}.json")
        durable.sync_folder(place)
        with suppress(OSError):
            place.rmdir()  # refuses unless it is the last one


def free_range(folder: Path, last: int, count: int) -> int:
    """Return the first of `count` numbers in a row after `last` whose names nothing has, foreign files included."""
    first = number = last + 1
    while number < first + count:
        if any(os.path.lexists(folder / name) for name in (segment_name(number), temp_name(number))):
            first = number + 1
        number += 1
    return first


def _forget_unfinished(place: Path) -> None:
    """Delete lists of parts without a job: their planner died before there was one."""
    for path in place.glob("*.jsonl"):
        if not path.with_suffix(".json").exists():
            durable.remove(path)


def _head(job: OpenJob) -> bytes:
    value = {
        "format": FORMAT,
        "version": VERSION,
        "job": job.id,
        "created": job.created.strftime(CREATED_FORM),
        "after": job.after,
        "first": job.first,
        "parts": [[*span, files] for span, files in zip(job.spans, job.files, strict=True)],
        "settings": job.settings,
    }
    return with_crc(json.dumps(value, separators=(",", ":")).encode() + b"\n")


def _read(path: Path) -> OpenJob:
    """Read a job's file. Raises OSError, ValueError, RecursionError."""
    with path.open("rb") as file:
        data = file.read(MAX_HEAD + 1)
    if len(data) > MAX_HEAD:
        raise ValueError(f"it has more than {MAX_HEAD} bytes")
    value = _checked(data)
    version = value.get("version")
    if value.get("format") != FORMAT or type(version) is not int:
        raise ValueError(f"it is no {FORMAT} file")
    if version > VERSION:
        raise ValueError(f"version {version}: this build reads up to {VERSION}; upgrade batchcomp")
    try:
        return _job(value, path.stem)
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
        first=_whole(value["first"]),
        files=tuple(files for *_, files in parts),
        spans=tuple((offset, size) for offset, size, _ in parts),
        settings=value["settings"],
    )


def _whole(value: Any, most: int = 10**12) -> int:
    if type(value) is not int or not 0 <= value <= most:
        raise ValueError(f"{value!r}: expected a whole number up to {most}")
    return value
