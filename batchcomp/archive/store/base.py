"""What every place that holds an archive's files can do. docs/architecture.md, "Stores".

An archive is a flat set of named files, which are never changed in place: one is put under a new name, put in the place
of another one in a single step, or deleted. Names are those of `segments` ("000001.zip", "settings.json"), or have one
folder before them ("jobs/ID.json").

    store = store_of(Path("photos.bca"))
    for entry in store.entries():
        print(entry.name, entry.size, entry.identity)
    with store.open("000001.zip") as file:
        file.seek(-22, os.SEEK_END)
        end = file.read()

All errors are OSErrors: FileNotFoundError, FileExistsError, PermissionError and so on, `StaleError` where another file
has taken the name, `StoreError` for what only remote stores meet. `durable.reported` makes a message of any of them.
"""

from __future__ import annotations

import errno
from contextlib import AbstractContextManager
from dataclasses import dataclass
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import Final, Protocol

from batchcomp.places import Place

Identity = str
"""Differs between a file and another one that took its name: an ETag, or device, inode, size and time of change.

Equal identities of one store mean equal bytes. Nothing else can be read from one: compare them only.
"""


class StoreError(OSError):
    """A store refuses, or cannot be reached: `reason` in a few words, `advice` is the next step."""

    def __init__(self, reason: str, advice: str) -> None:
        super().__init__(reason)
        self.reason, self.advice = reason, advice

    def __reduce__(self) -> tuple[type[StoreError], tuple[str, str]]:
        return StoreError, (self.reason, self.advice)


class MissingStoreError(StoreError):
    """There is no such store, not even an empty one: the bucket is missing."""

    def __reduce__(self) -> tuple[type[StoreError], tuple[str, str]]:
        return MissingStoreError, (self.reason, self.advice)


class StaleError(OSError):
    """The name belongs to another file by now than the one of the identity that was given; or to none any more."""

    def __init__(self, name: str) -> None:
        super().__init__(errno.ESTALE, "was replaced meanwhile", name)

    def __reduce__(self) -> tuple[type[StaleError], tuple[str]]:
        return StaleError, (str(self.filename),)


FOLDER: Final = "is a folder"  # the problem of an entry that is one


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of a store. `size` is in bytes; `problem` says why it can be no file of ours, "" for regular files."""

    name: str
    size: int
    identity: Identity
    problem: str = ""


class StoredFile(BufferedReader):
    """An open file of a store: binary, read only, seekable. It stays what it was when it was opened.

    Attributes:
        identity: of the bytes that are read.
        size: in bytes.
    """

    def __init__(self, raw: RawIOBase, identity: Identity, size: int, buffer_size: int = 8192) -> None:
        super().__init__(raw, buffer_size)
        self.identity, self.size = identity, size


class Lock(Protocol):
    """The right to write to an archive, which one process at a time has."""

    def acquire(self, wait: float) -> None:
        """Take it, waiting at most `wait` seconds.

        Raises:
            ArchiveLockedError: another process has it; the message names that process.
            OSError: the store refuses.
        """

    def release(self) -> None:
        """Give it back; harmless if it is not held."""

    def remove(self) -> None:
        """Delete what it left in the store, while it is held: nothing was written."""

    def exists(self) -> bool:
        """Tell whether some process holds it, or once did and left its file."""


class Store(Protocol):
    """A set of named files. `str(store)` is how messages call it. Several threads may use one store.

    Whoever changes what is there holds the lock; `put_new` changes nothing that is there. Readers need none: a file
    that is open, or is read by its identity, never mixes with the one that took its name.
    """

    @property
    def place(self) -> Place:
        """Where it lies."""

    def shown(self, name: str) -> str:
        """Return how messages call one of its files: path or address."""

    def exists(self) -> bool:
        """Tell whether the store is there, empty or not. Raises OSError."""

    def create(self) -> bool:
        """Make the store if it is not there; return whether it was made now.

        Raises:
            NotADirectoryError: a file is where it should be.
            OSError: it cannot be made.
        """

    def remove_empty(self) -> None:
        """Undo `create`; a store with files in it stays. Raises OSError."""

    def entries(self, under: str = "") -> list[Entry]:
        """Return what lies directly in the store, or in its folder `under`, sorted by name; hidden files too.

        Raises:
            FileNotFoundError, NotADirectoryError: there is no such store. An `under` that is not there is empty.
            OSError: it cannot be listed.
        """

    def stat(self, name: str) -> Entry | None:
        """Return one file's entry; None where there is no file of that name. Raises OSError."""

    def open(self, name: str) -> StoredFile:
        """Open a file for reading. Raises OSError."""

    def read(self, name: str, offset: int, size: int, identity: Identity | None = None) -> bytes:
        """Return up to `size` bytes from `offset` on; fewer where the file ends before.

        Raises:
            StaleError: `identity` is given, is not that of the file, and those bytes are not at hand any more.
            OSError: it cannot be read.
        """

    def local(self, name: str) -> AbstractContextManager[Path]:
        """Give the file's bytes a path on this machine for as long as the context lasts; they must not be changed.

        Raises:
            OSError: it cannot be read, or the scratch disk is full.
        """

    def mode(self, name: str) -> int:
        """Return the permissions of a file; 0o777 where it is missing, or the store has none. Raises OSError."""

    @property
    def renames(self) -> bool:
        """Whether a file of `scratch` becomes the file of the store itself, so that it must be on the disk before."""

    @property
    def scratch(self) -> Path:
        """A local folder for the files that `put_new` and `replace` take: for a folder itself, since those rename."""

    def put_new(self, name: str, source: Path | bytes) -> Identity:
        """Store bytes, or a complete file of `scratch`, under a name that nothing has; afterwards that file is gone.

        All of it is there, durably, or nothing. After an error the same may be tried again: what was stored by an
        attempt whose answer was lost counts as success.

        Raises:
            FileExistsError: another file has the name. `source` stays.
            OSError: the store refuses. `source` stays.
        """

    def replace(self, name: str, source: Path | bytes, identity: Identity | None = None) -> Identity:
        """Like `put_new`, in the place of a file in one step: readers find the old one or the new one, in full.

        Args:
            name: Of the file.
            source: Bytes, or a complete file of `scratch`.
            identity: Of what is replaced; None: whatever is there, or nothing.

        Raises:
            StaleError: another file has the name by now, or none. `source` stays.
            OSError: the store refuses. `source` stays.
        """

    def set_aside(self, name: str, other: str) -> None:
        """Give a file another name that nothing has, so that the old one may be replaced; it may keep the old one too.

        Raises:
            FileExistsError: something has the other name.
            OSError: the store refuses.
        """

    def delete(self, name: str) -> None:
        """Delete a file if it is there. Raises OSError."""

    def lock(self) -> Lock:
        """Return the lock on the store, not taken yet."""
