"""Where an archive's files lie: `Store` says what every place can do, `store_of` opens one."""

from batchcomp.archive.store.base import (
    FOLDER,
    Entry,
    Identity,
    Lock,
    MissingStoreError,
    StaleError,
    Store,
    StoredFile,
    StoreError,
)
from batchcomp.archive.store.folder import Folder
from batchcomp.archive.store.opening import Location, store_of

__all__ = [
    "FOLDER",
    "Entry",
    "Folder",
    "Identity",
    "Location",
    "Lock",
    "MissingStoreError",
    "StaleError",
    "Store",
    "StoreError",
    "StoredFile",
    "store_of",
]
