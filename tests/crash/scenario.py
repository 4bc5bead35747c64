"""What is interrupted: runs that write, prune and repair an archive, small, and the same each time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from batchcomp.archive import ArchiveReader, Row, jobs, prune, repair
from batchcomp.archive.lock import locked
from batchcomp.archive.part_writer import PartWriter, is_stored
from batchcomp.archive.segments import segment_numbers
from batchcomp.archive.store import Location
from batchcomp.archive.writer import ArchiveWriter
from tests.archive.samples import fixed_now, sample_row, verbatim_row

Run = Callable[[Path], None]
JOB = "a-job"


def source(path: str, content: bytes, *, plain: bool = False) -> tuple[Row, bytes]:
    """Return a row and a payload that stand for a picture with this content."""
    digest = sha256(content).hexdigest()
    make = verbatim_row if plain else sample_row
    return make(path, source_sha256=digest, source_bytes=len(content)), b"payload of " + content * 30


PICTURES = [
    source("a.png", b"first"), source("b.tif", b"second", plain=True), source("copies/a.png", b"first"),
    source("c.png", b"third"), source("d.png", b"fourth"), source("ü/e.png", b"fifth"),
    source("copy of c.png", b"third"),
]  # fmt: skip
CHANGED = [  # an owner and the row that shares its content, in different segments, are superseded too
    source("a.png", b"first, changed"), source("c.png", b"third, changed"), source("copy of c.png", b"edited"),
    source("a.png", b"changed again"),
]  # fmt: skip


def take(folder: Path, pictures: list[tuple[Row, bytes]]) -> None:
    """Do what `compress` does: leave alone what is there, share content that is there, store the rest."""
    with ArchiveWriter(folder, now=fixed_now, segment_bytes=3000) as writer:
        rows = list(ArchiveReader.open(folder).rows()) if segment_numbers(folder) else []
        known = {row.path: row.source_sha256 for row in rows}
        owners = {row.source_sha256: row for row in rows}
        for row, payload in pictures:
            if known.get(row.path) == row.source_sha256:
                continue
            owner = owners.get(row.source_sha256)
            done = writer.add_shared(row, owner) if owner else writer.add(row, payload)
            owners[row.source_sha256] = done


def write_all(folder: Path) -> None:
    """The run that is interrupted: from nothing to `PICTURES`."""
    take(folder, PICTURES)


def prune_all(folder: Path) -> None:
    """Drop what is superseded, and pictures that are gone: of several versions, and shared across segments."""
    prune(folder, gone=lambda path: path in {"a.png", "copy of c.png", "d.png"}, now=fixed_now)


def repair_all(folder: Path) -> None:
    """Repair, without a codec to look into payloads."""
    repair(folder, describe, now=fixed_now)


def job_all(folder: Location) -> None:
    """Plan a job where there is none, do its parts in an odd order, and close it."""
    if not jobs.is_closed(folder, JOB) or jobs.open_ids(folder):
        job = jobs.find_job(folder, JOB) if jobs.open_ids(folder) else plan_job(folder)
        for part in (2, 4, 1, 3):
            if not is_stored(folder, job, part):
                with PartWriter(folder, job, part) as writer:
                    for row, payload in PICTURES[part : part + 2]:
                        writer.add(replace(row, path=f"part {part}/{row.path}"), payload)
                    writer.commit()
        with locked(folder, 0):
            jobs.close_job(folder, job)


def plan_job(folder: Location) -> jobs.OpenJob:
    """Open a job of four parts behind the segments that are there."""
    lines = jobs.part_lines(range(1, 5))
    with locked(folder, 0):
        last = segment_numbers(folder)[-1]
        job = jobs.OpenJob(
            id=JOB, created=fixed_now(), after=last, base=last, first=last + 1, files=(2,) * 4,
            spans=jobs.spans_of(lines), settings={},
        )  # fmt: skip
        jobs.write_job(folder, job, lines)
    return job


def describe(_kind: str, _payload: bytes) -> dict[str, Any]:
    """What the codec would say of a payload."""
    return {"width": 768, "height": 512, "mode": "RGB"}


def make_old(folder: Path) -> None:
    """Make an archive with superseded versions and shared content in several segments."""
    take(folder, PICTURES)
    for one in CHANGED:
        take(folder, [one])


def make_damaged(folder: Path) -> None:
    """Make an archive of which one segment is cut off, one has a flipped byte, and one is gone."""
    make_old(folder)
    numbers = segment_numbers(folder)
    first, second, third = (folder / f"{number:06d}.zip" for number in (numbers[0], numbers[1], numbers[-2]))
    first.write_bytes(first.read_bytes()[: first.stat().st_size * 2 // 3])
    data = bytearray(second.read_bytes())
    data[150] ^= 1
    second.write_bytes(data)
    third.unlink()


RUNS: dict[str, Run] = {"write": write_all, "prune": prune_all, "repair": repair_all, "job": job_all}
STARTS: dict[str, Run] = {"write": lambda _folder: None, "prune": make_old, "repair": make_damaged, "job": make_old}


def contents(folder: Location) -> dict[str, tuple[Row, bytes]]:
    """Return every current row, but for what depends on when its segment was closed, and its payload."""
    archive = ArchiveReader.open(folder)
    plain = {"segment": 0, "owner_segment": 0, "seconds": 0.0}
    return {row.path: (replace(row, **plain), archive.read(row)) for row in archive.rows()}


def segments(folder: Path) -> dict[str, bytes]:
    """Return the bytes of every segment."""
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.zip"))}
