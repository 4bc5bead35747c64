"""From where an archive lies to its store."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from batchcomp.archive.store.base import Store
from batchcomp.archive.store.folder import Folder
from batchcomp.places import Url

Location = Path | Url | Store
"""What names an archive wherever one is wanted: a folder, an address, or a store that is open."""


def store_of(where: Location) -> Store:
    """Return the store at a place; one that is open already is returned as it is. Nothing is looked at yet."""
    if isinstance(where, Path):
        return Folder(where)
    return _objects(where) if isinstance(where, Url) else where


@lru_cache(maxsize=16)
def _objects(url: Url) -> Store:
    from batchcomp.archive.store.bucket import connect  # noqa: PLC0415  # an extra, and slow to load
    from batchcomp.archive.store.objects import Objects  # noqa: PLC0415

    return Objects(connect(url))


def forget() -> None:
    """Forget the stores that were opened: the environment leads elsewhere now."""
    _objects.cache_clear()
