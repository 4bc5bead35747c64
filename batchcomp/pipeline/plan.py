"""What a run takes, and why: the walk held against what the archive already has."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from batchcomp.archive import Archive
from batchcomp.archive.rows import Row
from batchcomp.errors import ArchiveNotFoundError
from batchcomp.images.load import estimate_bytes
from batchcomp.images.names import shown
from batchcomp.images.walk import Item, WalkFailure, walk
from batchcomp.pipeline.records import Event, Failed, Passed
from batchcomp.settings import CompressSettings

VERBATIM_LARGER = "compressed it would be larger"  # and at which quality; that makes it worth another try


@dataclass(frozen=True, kw_only=True)
class Take:
    """A file to compress, and why."""

    item: Item
    reason: str


def plan(settings: CompressSettings, model: str) -> Iterator[Take | Event]:
    """Yield in the walk's order the files to take, and events for those that are unchanged or cannot be walked."""
    known = known_rows(settings.archive)
    for item in walk(settings.paths, include=settings.include, exclude=settings.exclude, skip=(settings.archive,)):
        if isinstance(item, WalkFailure):
            yield Failed(name=str(item.path), reason=f"{shown(item.path)}: {item.reason}")
        elif reason := reason_to_take(item, known.get(item.name), settings, model):
            yield Take(item=item, reason=reason)
        else:
            yield Passed(name=item.name, reason="unchanged since it was archived", unchanged=True)


def known_rows(archive: Path) -> dict[str, Row]:
    """The archive's current rows by path; none where there is no archive yet."""
    try:
        return {row.path: row for row in Archive.open(archive).rows()}
    except ArchiveNotFoundError:
        return {}


def reason_to_take(item: Item, row: Row | None, settings: CompressSettings, model: str) -> str:
    """Why a file should be (re-)compressed; empty where the archive already holds it as asked for."""
    if row is None:
        return "new"
    too_large = row.reason.startswith(VERBATIM_LARGER)  # at another quality it may not be
    stale = {
        "changed": (row.source_bytes, row.mtime_ns) != (item.size, item.mtime_ns),
        "other quality": row.stored != "verbatim" and row.quality != settings.quality,
        "other model": row.model not in {"", model},  # of a fallback: the model that was tried
        "other quality or model": too_large and row.reason != larger_at(settings.quality),
        "not measured yet": settings.measure and row.stored == "compact" and row.ms_ssim is None,
    }
    return next((reason for reason, applies in stale.items() if applies), "")


def larger_at(quality: int) -> str:
    """Why a picture is stored verbatim whose payload would be larger."""
    return f"{VERBATIM_LARGER} at quality {quality}"


def weight(one: Item | Event) -> int:
    return max(one.size, estimate_bytes(one.path)) if isinstance(one, Item) else 0
