"""From where an archive lies to its store."""

from __future__ import annotations

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
    if isinstance(where, Url):
        raise NotImplementedError(where)
    return where
