"""Rows as the manifests have them: the index says where, and is not believed in what."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

from batchcomp.archive import Row
from batchcomp.archive.segment import Segment, open_segment
from batchcomp.archive.store import Store
from batchcomp.errors import ArchiveError
from batchcomp.index.columns import row_from
from batchcomp.index.schema import LINE_BITS, BrokenIndexError, segment_of

_PLACE: Final = (1 << LINE_BITS) - 1


class Originals:
    """Turns records of the index into the rows of the manifests that they were made from."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lines = lru_cache(maxsize=2)(self._read)

    def __call__(self, record: Sequence[Any]) -> Row:
        """Return the row in the manifest; where that cannot be read any more, what the index says of it.

        Raises:
            BrokenIndexError: the manifest says otherwise.
        """
        known = row_from(record)
        try:
            segment, lines = self._lines(segment_of(record[0]))
            line = lines[record[0] & _PLACE]
            row = segment.row(line)
        except ArchiveError:  # damaged or replaced since: reading its payload will tell
            return known
        except IndexError:
            raise BrokenIndexError(f"the index has rows that segment {known.segment} has not") from None
        if row != known:
            raise BrokenIndexError(f"the index does not say what segment {known.segment} says")
        return row

    def _read(self, number: int) -> tuple[Segment, list[bytes]]:
        segment = open_segment(self._store, number)
        return segment, list(segment.picture_lines())
