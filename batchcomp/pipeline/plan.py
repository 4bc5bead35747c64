"""What a run takes, and why: the walk held against what the archive already has."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from hashlib import file_digest
from pathlib import Path
from typing import Final

from batchcomp.images.names import shown
from batchcomp.images.sizes import estimate_bytes
from batchcomp.images.walk import Item, NoFile, SkippedLink, WalkFailure
from batchcomp.pipeline.emptied import Sources
from batchcomp.pipeline.failures import FailureMemory
from batchcomp.pipeline.index import Index, IndexEntry
from batchcomp.pipeline.originals import walk_originals
from batchcomp.pipeline.recipe import Recipe, described, stale
from batchcomp.pipeline.records import LINK, Bundle, Event, Failed, Passed
from batchcomp.settings import CompressSettings

_USUAL: Final = 10  # bytes of pixels for one of a JPEG from a camera


@dataclass(frozen=True, kw_only=True)
class Take:
    """A file to compress, and why."""

    item: Item
    reason: str


def plan(
    settings: CompressSettings, models: Collection[str], known: Index, failures: FailureMemory
) -> Iterator[Take | Event]:
    """Yield in the walk's order the files to take, and events for those that are left alone or cannot be walked."""
    for damage in known.damage:
        yield Failed(name=damage.segment, reason=f"{settings.archive}: {damage.told(settings.archive)}", damage=True)
    fits = _Fits(settings, models)
    found = walk_originals(settings)
    sources = Sources(settings, known)
    for item in found:
        sources.note(item)
        if isinstance(item, WalkFailure):
            yield failures.walked(item)
        elif isinstance(item, SkippedLink):
            reason = f"{shown(item.path)}: a symbolic link; --follow-symlinks takes what it points to"
            yield Passed(name=item.name, reason=reason, kind=LINK)
        elif isinstance(item, NoFile):
            yield Passed(name=item.name, reason=f"{shown(item.path)}: a {item.kind}, not a file", kind=item.kind)
        elif not (reason := fits.reason_to_take(item, entry := known.get(item.name))):
            otherwise = fits.otherwise(entry)
            yield Passed(name=item.name, reason="unchanged since it was archived", unchanged=True, otherwise=otherwise)
        else:
            yield failures.before(item) or Take(item=item, reason=reason)
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
        self._checksum, self._recompress = settings.checksum, settings.recompress
        self._stale = lru_cache(maxsize=1024)(lambda asked: stale(asked, settings, models))
        self._described = lru_cache(maxsize=1024)(self._described_anew)

    def reason_to_take(self, item: Item, entry: IndexEntry | None) -> str:
        """Why a file should be (re-)compressed; empty where the archive already holds it as asked for."""
        if entry is None:
            return "new"
        if entry.size != item.size:
            return "changed"
        if self._checksum:
            changed = "content changed" if digest(item.path) != entry.sha256 else ""
        else:
            changed = "changed" if entry.mtime_ns != item.mtime_ns else ""
        return changed or (self._stale(entry.recipe) if self._recompress else "")

    def otherwise(self, entry: IndexEntry | None) -> str:
        """With what an unchanged file is stored, where that is not what is asked for."""
        return self._described(entry.recipe) if entry is not None else ""

    def _described_anew(self, recipe: Recipe) -> str:
        reason = self._stale(recipe)
        return described(recipe, reason) if reason else ""


def is_unchanged(known: Index, settings: CompressSettings, item: Item) -> bool:
    """Tell from size and time whether a run will most likely pass a file over; the run itself looks closer."""
    entry = known.get(item.name)
    same = entry is not None and (entry.size, entry.mtime_ns) == (item.size, item.mtime_ns)
    return same and not settings.recompress


def digest(path: Path) -> bytes | None:
    """The SHA-256 of a file; None where it cannot be read, which reading it again will tell."""
    try:
        with path.open("rb") as file:
            return file_digest(file, "sha256").digest()
    except OSError:
        return None


def weight(one: Item | Event) -> int:
    return max(one.size, pixel_bytes(one)) if isinstance(one, Item) else 0


def pixel_bytes(item: Item) -> int:
    """Estimate what the pixels of a file take; of one in an object store nothing but its size is known."""
    return estimate_bytes(item.path) if item.origin is None else _USUAL * item.size
