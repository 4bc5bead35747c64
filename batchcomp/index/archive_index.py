"""The index of one archive: brought up to date when it is opened, then asked."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import Any, Final, Self

from batchcomp.archive import Damage, Row, Version
from batchcomp.archive.history import times_of
from batchcomp.archive.reader import gap_damage
from batchcomp.archive.store import Location, Store, store_of
from batchcomp.index.columns import (
    EVERY,
    MANNER,
    PICTURE,
    ROW,
    is_damaged,
    manner_from,
    row_from,
    sealed,
    select,
)
from batchcomp.index.conditions import CURRENT, EVERYTHING, FOLDER, Condition, one_of, relatives_of, up_to
from batchcomp.index.database import IndexDatabase, Told
from batchcomp.index.families import family_of, folders_above, same_folder
from batchcomp.index.links import COUNT_WRONG
from batchcomp.index.originals import Originals
from batchcomp.index.schema import BrokenIndexError, ids_of, segment_of
from batchcomp.index.stored import StoredSource, stored_from
from batchcomp.index.sums import SUMS, SegmentSums, sums_from, tally_from
from batchcomp.report.tally import Tally
from batchcomp.report.totals import Worst

IN_ORDER: Final = "p.id"  # of segments, and of the entries in each


class ArchiveIndex:
    """What an archive holds, as it was when this was opened. It is a context manager; writers are not disturbed.

        with ArchiveIndex.open(Path("photos.bca")) as index:
            for row in index.rows():
                print(row.path)

    An index that is damaged, locked, or cannot be written is made anew, at last as one that nobody else sees: all that
    costs is time.

    Attributes:
        store: where the archive's files lie.
    """

    def __init__(self, store: Store, database: IndexDatabase) -> None:
        self.store, self._database = store, database

    @classmethod
    def open(cls, where: Location, *, rebuild: bool = False, told: Told | None = None) -> Self:
        """Open the index of an archive and take in what changed.

        Args:
            where: the archive lies.
            rebuild: make it anew, whatever is there.
            told: is called with how many segments were taken in, and how many will be.

        Raises:
            ArchiveNotFoundError: there is no archive.
            ArchiveError: a segment's version is newer than this build reads, or the folder cannot be read.
        """
        store = store_of(where)
        return cls(store, IndexDatabase(store, rebuild=rebuild, told=told))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the database."""
        self._database.close()

    @property
    def file(self) -> Path | None:
        """The database, None where it is private."""
        return self._database.file

    def rows(self, condition: Condition = CURRENT, *, order: str = IN_ORDER, limit: int = -1) -> Iterator[Row]:
        """Yield the rows that fit a condition, those that are not damaged; memory does not grow by them.

        `order` is SQL of ours, see `batchcomp.index.order`.
        """
        if limit < 0:
            self._miss_none(condition)
        sql = f"{select(ROW, condition.sql)} ORDER BY {order}"
        return self._database.query(sql, condition, make=row_from, limit=limit)

    def records(self, condition: Condition = CURRENT) -> Iterator[tuple[int, str, Row | None]]:
        """Yield id, path and row of what fits a condition, in the order of ids; a damaged one has no row."""
        sql = f"SELECT {ROW} FROM {EVERY} WHERE {condition.sql} ORDER BY {IN_ORDER}"
        return self._database.query(sql, condition, make=_record)

    def ids(self, condition: Condition = CURRENT, *, order: str = IN_ORDER) -> Iterator[int]:
        """Yield the ids of what fits a condition, of damaged ones too; `order` is SQL of ours."""
        sql = f"SELECT p.id FROM {EVERY} WHERE {condition.sql} ORDER BY {order}"
        return self._database.query(sql, condition, make=_number)

    def folders(self) -> Iterator[tuple[str, int]]:
        """Yield each folder that holds current pictures itself, "" for the top, and how many; damaged ones too."""
        sql = f"SELECT {FOLDER}, count(*) FROM picture AS p WHERE {CURRENT.sql} GROUP BY 1 ORDER BY 1"
        return self._database.query(sql, make=_folder)

    def originals(self, condition: Condition = CURRENT) -> Iterator[Row]:
        """Yield the same rows as their manifests have them; an index that says otherwise is made anew."""
        self._miss_none(condition)
        sql = f"{select(ROW, condition.sql)} ORDER BY {IN_ORDER}"
        return self._database.query(sql, condition, make=Originals(self.store))

    def count(self, condition: Condition = CURRENT) -> int:
        """Return how many rows fit a condition."""
        self._miss_none(condition)
        return self._count(condition)

    def _count(self, condition: Condition) -> int:
        return next(self._database.query(select("count(*)", condition.sql), condition, make=_number))

    def holds(self, condition: Condition) -> bool:
        """Tell whether any row fits a condition."""
        return any(self._database.query(select("1", condition.sql), condition, make=bool, limit=1))

    def tally(self) -> Tally:
        """Return the sums of all current pictures, from one row a segment."""
        found = Tally()
        for one in self._segments:
            found.merge(tally_from(one.tally))
        return found

    def worst(self) -> Worst | None:
        """Return the worst current picture, none of the tiny ones unless there are no others."""
        large = ((one.worst_large, one.worst_large_id) for one in self._segments)
        every = ((one.worst, one.worst_id) for one in self._segments)
        for found in (large, every):
            known = [(ms_ssim, number) for ms_ssim, number in found if ms_ssim is not None]
            if known:
                ms_ssim, number = min(known)
                for row in self.rows(Condition(sql="p.id = ?", values=(number,))):
                    return Worst(ms_ssim, row.path)
        return None

    def versions(self, path: str | None = None) -> Iterator[Version]:
        """Yield all versions of a picture, or of each, the oldest first, pictures in the order they were first stored.

        A damaged one has no row.
        """
        condition = EVERYTHING if path is None else Condition(sql="p.path = ?", values=(path,))
        first = "(SELECT min(f.id) FROM picture AS f WHERE f.path = p.path)"
        sql = f"SELECT {ROW} FROM {EVERY} WHERE {condition.sql} ORDER BY {first}, p.id"
        found = self._database.query(sql, condition, make=_record)
        for name, versions in groupby(found, key=lambda version: version[1]):
            for number, (picture, _, row) in enumerate(versions, 1):
                segment = segment_of(picture)
                yield Version(path=name, number=number, archived=self.times[segment], segment=segment, row=row)

    @cached_property
    def created(self) -> dict[int, datetime | None]:
        """When each segment was first written, in UTC; None where it does not say."""
        return {one.number: _moment(one.created) for one in self._segments}

    @cached_property
    def times(self) -> dict[int, datetime]:
        """When each segment was written, in UTC, never before an earlier one."""
        return times_of(self.created)

    def last_id(self, moment: datetime) -> int:
        """Return the greatest id that a picture had at a moment, 0 where the archive held nothing then."""
        numbers = sorted(self.times)
        held = bisect_right(numbers, moment, key=self.times.__getitem__)
        return ids_of(numbers[held - 1])[1] if held else 0

    def at(self, moment: datetime) -> Condition:
        """Return what the archive held at a moment."""
        return up_to(self.last_id(moment))

    def damage(self, condition: Condition = CURRENT, *, upto: int | None = None) -> list[Damage]:
        """Return what is wrong with segments and entries, and with the rows that would fit a condition.

        `upto` is the number of the last segment that counts.
        """
        numbers = [one.number for one in self._segments if upto is None or one.number <= upto]
        sql = (
            "SELECT d.name, d.entry, d.reason FROM damage AS d LEFT JOIN picture AS p ON p.id = d.id"
            f" LEFT JOIN manner AS m ON m.id = p.manner WHERE (p.id IS NULL OR ({condition.sql}))"
            f" AND d.segment <= {max(numbers, default=0)} ORDER BY d.rowid"
        )
        return [*self._database.query(sql, condition, make=_damage), *gap_damage(self.store, numbers)]

    def bytes_on_disk(self) -> int:
        """Return the size of all segments in bytes, damaged ones too."""
        return sum(one.size for one in self._segments)

    def relatives(self, paths: list[str], condition: Condition) -> tuple[list[Row], set[str]]:
        """Return what `decode` might restore under the names of these pictures, of those that fit a condition.

        That is rows, these too, and names of folders.
        """
        folders = {folder for path in paths for folder in folders_above(path)}
        names = sorted({*paths, *folders})
        rows: dict[int, Row] = {}
        for name in names:
            for some in relatives_of(name, self._same_folders(name.rpartition("/")[0])):
                rows |= {number: row for number, _, row in self.records(some & condition) if row}
        for some in one_of("family", sorted(set(map(family_of, names)))):
            sql = f"SELECT name FROM folder WHERE {some.sql} ORDER BY family, name"
            for name in self._database.query(sql, some, make=lambda record: _text(record[0])):
                inside = Condition(sql="p.path > ? AND p.path < ?", values=(f"{name}/", f"{name}0"))
                if name not in folders and self.holds(inside & condition):
                    folders.add(name)
        return [rows[number] for number in sorted(rows)], folders

    def _same_folders(self, folder: str) -> set[str]:
        """Return the folders that are this one on a disk that ignores case, and this one."""
        found = self._database.query(
            "SELECT name FROM folder WHERE family = ?",
            Condition(sql="", values=(family_of(folder),)),
            make=lambda record: _text(record[0]),
        )
        return {folder} | {name for name in found if same_folder(name, folder)}

    def paths(self) -> Iterator[tuple[str, int]]:
        """Yield path and id of every version, damaged ones too, sorted by both."""
        return self._database.query("SELECT path, id FROM picture ORDER BY path, id", make=_path)

    def stored(self, condition: Condition = CURRENT) -> Iterator[StoredSource]:
        """Yield of each picture that fits a condition what tells whether its file changed since."""
        self._miss_none(condition)
        sql = f"{select(PICTURE, condition.sql)} ORDER BY p.id"
        return self._database.query(sql, condition, make=stored_from)

    def manner(self, number: int) -> dict[str, Any]:
        """Return how pictures of this manner are stored: `stored`, `reason`, `quality`, ... of their rows."""
        sql = f"SELECT id, {', '.join(MANNER)}, seal FROM manner WHERE id = ?"
        condition = Condition(sql="", values=(number,))
        values = next(self._database.query(sql, condition, make=lambda record: manner_from(*record)))
        return dict(zip(MANNER, values, strict=True))

    def check_versions(self) -> None:
        """Hold which version follows which against the versions; an index that has it otherwise is made anew.

        What is taken for an old version is not seen where only current ones are asked for, so that its seal is not,
        either. That takes .2 s for a million pictures: it is for questions that look at all of them, and at moments.
        """
        self._miss_none(CURRENT)
        if next(self._database.query(COUNT_WRONG, make=_number)):
            self._database.renew(BrokenIndexError("the index has versions that follow others than they do"))

    def _miss_none(self, condition: Condition) -> None:
        """Hold how many pictures are current against the sums, where all are asked for: who is not seen has no seal."""
        if condition == CURRENT and self._count(CURRENT) != self.tally()["pictures"]:
            self._database.renew(BrokenIndexError("the index has not all pictures that it had"))

    @cached_property
    def _segments(self) -> list[SegmentSums]:
        """What stands of each segment, sound or damaged, by number."""
        return list(self._database.query(f"{SUMS} ORDER BY number", make=sums_from))


def _number(record: tuple[Any, ...]) -> int:
    return int(record[0])


def _damage(record: tuple[Any, ...]) -> Damage:
    name, entry, reason = record
    return Damage(segment=_text(name), entry=None if entry is None else _text(entry), reason=_text(reason))


def _folder(record: tuple[Any, ...]) -> tuple[str, int]:
    return _text(record[0]).removesuffix("/"), record[1]


def _record(record: tuple[Any, ...]) -> tuple[int, str, Row | None]:
    return record[0], sealed(record)[1], None if is_damaged(record) else row_from(record)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise BrokenIndexError(f"{value!r} in the index is no text")
    return value


def _moment(seconds: int | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _path(record: tuple[Any, ...]) -> tuple[str, int]:
    return _text(record[0]), record[1]
