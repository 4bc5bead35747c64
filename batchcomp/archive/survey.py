"""All versions of all pictures, a few numbers each: what `prune` decides by."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from typing import Protocol

from batchcomp.archive.claims import claim_of
from batchcomp.archive.manifest import inner_lines, is_held, is_row
from batchcomp.archive.reader import find_segments, gap_damage
from batchcomp.archive.rows import Row
from batchcomp.archive.segment import Segment, open_segment
from batchcomp.archive.segments import segment_name
from batchcomp.archive.store import Store
from batchcomp.errors import ArchiveDamagedError

REFUSAL = "nothing more is pruned while something is damaged: first `batchcomp repair {}`"
Place = tuple[int, str]  # a segment's number, and an entry in it
Mark = tuple[int, int]  # a segment's number, and which of its rows


class Surveyed(Protocol):
    """The versions in a sound archive."""

    def versions(self) -> Iterable[tuple[str, list[Mark]]]:
        """Yield each path and its versions, the oldest first."""

    def rows(self, marks: Iterable[Mark]) -> dict[Mark, Row]:
        """Return the rows of some versions."""

    def created(self, number: int) -> datetime:
        """Return when a segment was written; what does not say so counts as old."""


class Survey:
    """What the manifests say: each row is parsed once, and no row is kept.

    Attributes:
        numbers: of the segments.
        sharing: versions that share an entry, and that entry.
        held: numbers of the segments with held entries.
    """

    def __init__(self, store: Store) -> None:
        """Go through all segments.

        Raises:
            ArchiveDamagedError: something is damaged, and may hold the current version of a path.
            ArchiveError: see `open_segment`.
        """
        self._store = store
        self.numbers = find_segments(store)
        self.sharing: dict[Mark, Place] = {}
        self.held: set[int] = set()
        self._versions: dict[str, list[Mark]] = {}
        for damage in gap_damage(store, self.numbers):
            raise ArchiveDamagedError(f"{damage}; {REFUSAL.format(store)}")
        self.created = lru_cache(maxsize=None)(self._created)
        for number in self.numbers:
            with refusing(store):
                self._look(open_segment(store, number))

    def versions(self) -> Iterable[tuple[str, list[Mark]]]:
        """Yield each path and its versions, the oldest first."""
        return self._versions.items()

    def rows(self, marks: Iterable[Mark]) -> dict[Mark, Row]:
        """Return the rows of some versions, in their order, from the segments that they stand in."""
        wanted = set(marks)
        found: dict[Mark, Row] = {}
        for number in sorted({number for number, _ in wanted}):
            with refusing(self._store):
                segment = open_segment(self._store, number)
                found |= {mark: segment.row(line) for mark, line in lines_of(segment) if mark in wanted}
        return found

    def _created(self, number: int) -> datetime:
        claim = claim_of(self._store, segment_name(number))
        return (claim.created if claim else None) or datetime.min.replace(tzinfo=UTC)

    def _look(self, segment: Segment) -> None:
        for damage in segment.damage:
            raise ArchiveDamagedError(str(damage))
        for mark, line in lines_of(segment):
            if not is_row(line):
                continue
            row = segment.row(line)
            if is_held(line):
                self.held.add(segment.number)
                continue
            self._versions.setdefault(row.path, []).append(mark)
            if row.owner_segment:
                self.sharing[mark] = row.place


def lines_of(segment: Segment) -> Iterator[tuple[Mark, bytes]]:
    """Yield each line of a manifest between the first and the last, and its place."""
    for index, line in enumerate(inner_lines(segment.read_manifest())):
        yield (segment.number, index), line


@contextmanager
def refusing(store: Store) -> Iterator[None]:
    """Say of what is damaged that it must be repaired first."""
    try:
        yield
    except ArchiveDamagedError as error:
        raise ArchiveDamagedError(f"{error}; {REFUSAL.format(store)}") from error
