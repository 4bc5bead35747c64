"""From where an archive lies to its store."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from batchcomp.archive import durable
from batchcomp.archive.store.base import Store
from batchcomp.archive.store.folder import Folder
from batchcomp.places import Url

if TYPE_CHECKING:
    from batchcomp.archive.store.bucket import Bucket

Location = Path | Url | Store
"""What names an archive wherever one is wanted: a folder, an address, or a store that is open."""


def store_of(where: Location) -> Store:
    """Return the store at a place; one that is open already is returned as it is. Nothing is looked at yet.

    Raises:
        ArchiveError: see `bucket_of`.
    """
    if isinstance(where, Path):
        return Folder(where)
    return _objects(where) if isinstance(where, Url) else where


@lru_cache(maxsize=16)
def _objects(url: Url) -> Store:
    from batchcomp.archive.store.objects import Objects  # noqa: PLC0415  # only where it is asked for

    return Objects(bucket_of(url))


def bucket_of(url: Url) -> Bucket:
    """Return the objects at and below an address; all in one bucket share its connections.

    Raises:
        ArchiveError: the extra is not installed, or what the environment says makes no sense.
    """
    with durable.reported(url):
        return replace(_bucket(url.scheme, url.bucket), url=url)


@lru_cache(maxsize=16)
def _bucket(scheme: str, name: str) -> Bucket:
    from batchcomp.archive.store.bucket import connect  # noqa: PLC0415

    return connect(Url(scheme, name))


def forget() -> None:
    """Forget the stores that were opened: the environment leads elsewhere now."""
    _objects.cache_clear()
    _bucket.cache_clear()
