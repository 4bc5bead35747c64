"""What a run takes, and why: the walk held against what the archive already has."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from hashlib import file_digest
from pathlib import Path

from batchcomp.images.names import shown
from batchcomp.images.sizes import estimate_bytes
from batchcomp.images.walk import Item, WalkFailure, walk
from batchcomp.pipeline.emptied import Sources
from batchcomp.pipeline.index import Index, IndexEntry
from batchcomp.pipeline.recipe import stale
from batchcomp.pipeline.records import Bundle, Event, Failed, Passed
from batchcomp.settings import CompressSettings


@dataclass(frozen=True, kw_only=True)
class Take:
    """A file to compress, and why."""

    item: Item
    reason: str


def plan(settings: CompressSettings, models: Collection[str], known: Index) -> Iterator[Take | Event]:
    """Yield in the walk's order the files to take, and events for those that are unchanged or cannot be walked."""
    for damage in known.damage:
        yield Failed(name=damage.segment, reason=f"{settings.archive}: {damage}; run `repair`", damage=True)
    fits = _Fits(settings, models)
    found = walk(
        settings.paths,
        include=settings.include,
        exclude=settings.exclude,
        skip=(settings.archive,),
        follow_symlinks=settings.follow_symlinks,
    )
    sources = Sources(settings, known)
    for item in found:
        sources.note(item)
        if isinstance(item, WalkFailure):
            yield Failed(name=str(item.path), reason=f"{shown(item.path)}: {item.reason}")
        elif reason := fits.reason_to_take(item, known.get(item.name)):
            yield Take(item=item, reason=reason)
        else:
            yield Passed(name=item.name, reason="unchanged since it was archived", unchanged=True)
    yield from sources.missing()


def bundled(steps: Iterable[Take | Event], most: int = 512) -> Iterator[Item | Event]:
    """Yield the files to take, and events; those of unchanged files, which may be all, in bundles.

    A stage costs some microseconds an item, and a tree of 100,000 unchanged files should not feel that.
    """
    passed: list[Passed] = []
    for step in steps:
        if isinstance(step, Passed):
            passed.append(step)
        if passed and (len(passed) == most or not isinstance(step, Passed)):
            yield Bundle(tuple(passed))
            passed.clear()
        if not isinstance(step, Passed):
            yield step.item if isinstance(step, Take) else step
    if passed:
        yield Bundle(tuple(passed))


class _Fits:
    """Holds files against what the archive has of them."""

    def __init__(self, settings: CompressSettings, models: Collection[str]) -> None:
        self._checksum = settings.checksum
        self._stale = lru_cache(maxsize=1024)(lambda asked: stale(asked, settings, models))

    def reason_to_take(self, item: Item, entry: IndexEntry | None) -> str:
        """Why a file should be (re-)compressed; empty where the archive already holds it as asked for."""
        if entry is None:
            return "new"
        if entry.size != item.size:
            return "changed"
        if self._checksum:
            return "content changed" if digest(item.path) != entry.sha256 else self._stale(entry.recipe)
        return "changed" if entry.mtime_ns != item.mtime_ns else self._stale(entry.recipe)


def digest(path: Path) -> bytes | None:
    """The SHA-256 of a file; None where it cannot be read, which reading it again will tell."""
    try:
        with path.open("rb") as file:
            return file_digest(file, "sha256").digest()
    except OSError:
        return None


def weight(one: Item | Event) -> int:
    return max(one.size, estimate_bytes(one.path)) if isinstance(one, Item) else 0
