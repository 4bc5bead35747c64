"""All versions of the pictures of an archive, and what the archive held at a moment."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from batchcomp.archive.reader import ArchiveReader
from batchcomp.archive.rows import Row

UNKNOWN: Final = datetime(1970, 1, 1, tzinfo=UTC)  # of segments that do not say when they were written


@dataclass(frozen=True, kw_only=True, slots=True)
class Version:
    """One version of a picture.

    Attributes:
        path: of the picture.
        number: 1 for the oldest that the archive holds; `prune` makes the next one the first.
        archived: when its segment was closed, in UTC.
        segment: the number of the segment its row stands in.
        row: None where it is damaged.
    """

    path: str
    number: int
    archived: datetime
    segment: int
    row: Row | None


def read_versions(archive: ArchiveReader) -> dict[str, list[Version]]:
    """Return all versions of each picture, the oldest first, pictures in the order in which they were first stored."""
    times = times_of({number: archive.created(number) for number in archive.numbers})
    found: dict[str, list[Version]] = {}
    for path, segment, row in archive.versions():
        of_path = found.setdefault(path, [])
        number, archived = len(of_path) + 1, times[segment]
        of_path.append(Version(path=path, number=number, archived=archived, segment=segment, row=row))
    return found


def view_at(archive: ArchiveReader, moment: datetime) -> list[Row]:
    """Return the newest rows at or before a moment, without the pictures that came later.

    A damaged row supersedes too; its picture is then left out. Deletions leave no trace in an archive.
    """
    held = [[one for one in versions if one.archived <= moment] for versions in read_versions(archive).values()]
    newest = [versions[-1] for versions in held if versions]
    rows = [one.row for one in newest if one.row is not None]
    return sorted(rows, key=lambda row: row.segment)  # stable: as `ArchiveReader.rows` has them, but within a segment


def times_of(created: Mapping[int, datetime | None]) -> dict[int, datetime]:
    """Return the time of each segment, never before that of an earlier segment, whatever the clock did.

    Segments are numbered in the order in which they were written. The longest run of times that does not decrease is
    believed; any other segment gets the time of the believed one that follows it, or of the last one.
    """
    numbers = sorted(created)
    believed = _longest_rising([created[number] for number in numbers])
    time = max((created[numbers[index]] or UNKNOWN for index in believed), default=UNKNOWN)
    times: dict[int, datetime] = {}
    for index, number in reversed(list(enumerate(numbers))):
        own = created[number] if index in believed else None
        times[number] = time = own or time
    return times


def _longest_rising(values: list[datetime | None]) -> set[int]:
    """Return the indices of the longest subsequence that does not decrease; of several, the one that ends lowest."""
    tails: list[datetime] = []  # of each length, the least value that such a subsequence can end with
    ends: list[int] = []
    before: list[int] = []
    for index, value in enumerate(values):
        length = bisect_right(tails, value) if value else 0
        before.append(ends[length - 1] if length else -1)
        if value:
            tails[length : length + 1], ends[length : length + 1] = [value], [index]
    found, at = set(), ends[-1] if ends else -1
    while at >= 0:
        found.add(at)
        at = before[at]
    return found
