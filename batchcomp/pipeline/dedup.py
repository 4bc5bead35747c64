"""Content that the archive holds already, under another name or time, is not compressed and stored again."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass

from batchcomp.archive.rows import Row
from batchcomp.pipeline.alternatives import Candidate, base_row
from batchcomp.pipeline.index import Index
from batchcomp.pipeline.loading import Loaded
from batchcomp.pipeline.recipe import recipe_of, stale
from batchcomp.pipeline.records import Event
from batchcomp.settings import CompressSettings

Pack = Callable[[list[Loaded | Event]], Iterable[Candidate | Event]]


@dataclass(frozen=True, kw_only=True)
class Shared:
    """A file whose content `owner` holds; `row` tells its own path, time and permissions."""

    row: Row
    owner: Row


class Deduplication:
    """Splits windows into what is stored already and what has to be packed."""

    def __init__(self, settings: CompressSettings, models: Collection[str], known: Index) -> None:
        self._settings, self._models, self._known = settings, models, known

    def pack(self, window: list[Loaded | Event], pack: Pack) -> Iterator[Candidate | Shared | Event]:
        """Yield an answer for each of a window. What was yielded must be stored, and noted, before the next is asked.

        Files of one window with the same content: the first is packed, the others share it.
        """
        fresh: list[Loaded | Event] = []
        twins: list[Loaded] = []
        seen: set[str] = set()
        for one in window:
            shared = self._shared(one) if isinstance(one, Loaded) else None
            if shared is not None:
                yield shared
            elif isinstance(one, Loaded) and one.source.sha256 in seen:
                twins.append(one)
            else:
                seen.update([one.source.sha256] if isinstance(one, Loaded) else [])
                fresh.append(one)
        yield from pack(fresh)
        for twin in twins:  # what they are twins of may not have been stored: its name can be refused
            shared = self._shared(twin)
            yield from [shared] if shared is not None else pack([twin])

    def holds(self, one: Loaded) -> bool:
        """Whether the archive holds the content as it is asked for."""
        return self._shared(one) is not None

    def _shared(self, one: Loaded) -> Shared | None:
        for owner in self._known.owners(one.source.sha256):
            if not stale(recipe_of(owner), self._settings, self._models):
                return Shared(row=base_row(one), owner=owner)
        return None
