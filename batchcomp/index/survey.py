"""What `prune --dry-run` decides by: the same as from the manifests, out of the index."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from batchcomp.archive import Row
from batchcomp.archive.store import Store
from batchcomp.archive.survey import REFUSAL, Mark
from batchcomp.errors import ArchiveDamagedError
from batchcomp.index.archive_index import ArchiveIndex
from batchcomp.index.conditions import EVERYTHING, one_of
from batchcomp.index.schema import segment_of


class IndexSurvey:
    """The versions in an archive whose index is open; see `batchcomp.archive.survey.Surveyed`. Nothing is kept."""

    def __init__(self, index: ArchiveIndex) -> None:
        """Look for damage.

        Raises:
            ArchiveDamagedError: something is damaged, and may hold the current version of a path.
        """
        self._index = index
        for damage in index.damage(EVERYTHING):
            raise ArchiveDamagedError(f"{damage}; {REFUSAL.format(index.store)}")

    def __call__(self, _store: Store) -> IndexSurvey:
        return self

    def versions(self) -> Iterator[tuple[str, list[Mark]]]:
        """Yield each path and its versions, the oldest first."""
        for path, found in groupby(self._index.paths(), key=lambda one: one[0]):
            yield path, [(segment_of(number), number) for _, number in found]

    def rows(self, marks: Iterable[Mark]) -> dict[Mark, Row]:
        """Return the rows of some versions, in their order."""
        found: dict[Mark, Row] = {}
        numbers = sorted(number for _, number in marks)
        for condition in one_of("p.id", numbers):
            wanted: list[Any] = sorted(condition.values)
            rows = zip(wanted, self._index.rows(condition), strict=True)
            found |= {(row.segment, number): row for number, row in rows}
        return found

    def created(self, number: int) -> datetime:
        """Return when a segment was written; what does not say so counts as old."""
        return self._index.created.get(number) or datetime.min.replace(tzinfo=UTC)
