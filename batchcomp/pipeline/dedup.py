"""Content that the archive holds already, under another name or time, is not compressed and stored again."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Protocol

from batchcomp.archive.rows import Row
from batchcomp.pipeline.alternatives import base_row
from batchcomp.pipeline.job import Job
from batchcomp.pipeline.recipe import recipe_of, stale
from batchcomp.pipeline.records import Event
from batchcomp.settings import CompressSettings

Stage = Callable[[list[Job]], list[Job]]


@dataclass(frozen=True, kw_only=True)
class Shared:
    """A file whose content `owner` holds; `row` tells its own path, time and permissions."""

    row: Row
    owner: Row


class KnownContent(Protocol):
    """What knows which content is stored."""

    def note(self, row: Row) -> None:
        """Remember the content of a row that was stored just now."""
        ...

    def owners(self, sha256: str) -> Iterator[Row]:
        """Yield rows that hold this content, the best to share first; each payload was found to be sound."""
        ...


class Deduplication:
    """Splits windows into what is stored already and what has to be compressed."""

    def __init__(self, settings: CompressSettings, models: Collection[str], index: KnownContent) -> None:
        self._settings, self._models, self._index = settings, models, index

    def run(self, window: list[Job | Event], stage: Stage) -> Iterator[Job | Shared | Event]:
        """Yield an answer for each of a window. What was yielded must be stored, and noted, before the next is asked.

        Files of one window with the same content: the first is compressed, the others share it.
        """
        fresh: list[Job | Event] = []
        repeats: list[Job] = []
        seen: set[str] = set()
        for one in window:
            if not isinstance(one, Job):
                fresh.append(one)
            elif shared := self.shared(one):
                yield shared
            elif one.loaded.source.sha256 in seen:
                repeats.append(one)
            else:
                seen.add(one.loaded.source.sha256)
                fresh.append(one)
        yield from _through(fresh, stage)
        for job in repeats:  # what they repeat may not have been stored: its name can be refused
            shared = self.shared(job)
            yield from [shared] if shared is not None else stage([job])

    def shared(self, job: Job) -> Shared | None:
        """The row of a file whose content the archive holds; None where it does not.

        With `recompress` it has to hold it as it is asked for now.
        """
        for owner in self._index.owners(job.loaded.source.sha256):
            if not self._settings.recompress or not stale(recipe_of(owner), self._settings, self._models):
                return Shared(row=base_row(job.loaded), owner=owner)
        return None


def _through(window: list[Job | Event], stage: Stage) -> Iterator[Job | Event]:
    """Send the jobs of a window through a stage together; events keep their places between them."""
    finished = iter(stage([one for one in window if isinstance(one, Job)]))
    for one in window:
        yield next(finished) if isinstance(one, Job) else one
