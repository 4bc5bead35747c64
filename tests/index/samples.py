"""Archives for the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from batchcomp.archive import ArchiveReader, Row
from batchcomp.archive.growing import GrowingSegment
from batchcomp.archive.segment import open_segment
from batchcomp.index import ArchiveIndex
from batchcomp.index.conditions import CURRENT, Condition
from tests.archive.samples import fixed_now, sample_row, write_archive


def add(folder: Path, *paths: str) -> None:
    """Add a segment with a version of each path."""
    write_archive(folder, [(sample_row(path, mtime_ns=number), path.encode()) for number, path in enumerate(paths)])


def indexed(folder: Path, condition: Condition = CURRENT) -> list[Row]:
    """Return what an index of the archive has."""
    with ArchiveIndex.open(folder) as index:
        return list(index.rows(condition))


def read(folder: Path) -> list[Row]:
    """Return what the archive itself has."""
    return list(ArchiveReader.open(folder).rows())


def break_rows(folder: Path, number: int, paths: Iterable[str]) -> None:
    """Write a segment anew in which the rows of some paths break the rules, and nothing else is wrong."""
    segment, growing, broken = open_segment(folder, number), GrowingSegment(folder, number), set(paths)
    for line in segment.row_lines():
        row = segment.row(line)
        data = b"" if row.owner_segment else segment.read(row)
        growing.append(row, line.replace(b'"width":', b'"width":-') if row.path in broken else line, data)
    growing.finish(fixed_now(), instead=True)
