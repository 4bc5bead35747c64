"""A bucket, or a prefix in one, as a store: segments are built in local scratch and put there by one conditional put.

There is no rename and none is needed. What was put by an attempt whose answer was lost is recognised by its bytes.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import Final
from weakref import finalize

from batchcomp.archive.store.base import FOLDER, Entry, Identity, Lock, StaleError, StoredFile, StoreError
from batchcomp.archive.store.blocks import Blocks, Piece, RangedFile
from batchcomp.archive.store.bucket import BehindEndError, Bucket, Stored, taken
from batchcomp.archive.store.conditional import check_conditional, one_writer
from batchcomp.archive.store.lease import Lease
from batchcomp.places import Url

_DOWNLOAD: Final = 16 * 2**20  # bytes of one request where a whole object is fetched
_BUFFER: Final = 64 * 1024


class Objects:
    """The store at an address; see `Store`."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._blocks = Blocks(bucket)
        self._lease: Lease | None = None
        self._kept: tuple[str, str, Path] | None = None  # name and ETag of the file that was put last
        self._checked = False
        self._mutex = threading.Lock()

    def __str__(self) -> str:
        return str(self._bucket.url)

    @property
    def place(self) -> Url:
        """The address."""
        return self._bucket.url

    def shown(self, name: str) -> str:
        """Return an object's address."""
        return self._bucket.shown(name)

    def exists(self) -> bool:
        """Tell that the bucket is there, with or without anything under the prefix; StoreError where it is not."""
        self._bucket.below()
        return True

    def create(self) -> bool:
        """Make sure that the bucket is there; a prefix is made by what is put under it."""
        self._bucket.below()
        return False

    def remove_empty(self) -> None:
        """Nothing: a prefix without objects is not there."""

    def entries(self, under: str = "") -> list[Entry]:
        """Return the objects, and the prefixes as folders."""
        objects, folders = self._bucket.below(under)
        start = len(under) + 1 if under else 0
        found = [Entry(one.name[start:], one.size, _identity(one.size, one.identity)) for one in objects]
        found += [Entry(name[start:], 0, "", FOLDER) for name in folders]
        return sorted(found, key=lambda entry: entry.name)

    def stat(self, name: str) -> Entry | None:
        """Ask for one object."""
        try:
            return _entry(self._bucket.head(name))
        except FileNotFoundError:
            return None

    def open(self, name: str) -> StoredFile:
        """Open the object as it is now; it is read in blocks, by its ETag."""
        found = self._bucket.head(name)
        piece = Piece(name, found.identity, found.size)
        return StoredFile(RangedFile(self._blocks, piece), _identity(found.size, found.identity), found.size, _BUFFER)

    def read(self, name: str, offset: int, size: int, identity: Identity | None = None) -> bytes:
        """Read a piece of the object; where its identity is known, with what lies around it."""
        if size <= 0:
            return b""
        if identity is None:
            with suppress(BehindEndError):
                return self._bucket.get(name, offset, offset + size)[0]
            return b""
        try:
            return self._blocks.read(Piece(name, _e_tag(identity), _size(identity)), offset, size)
        except FileNotFoundError:
            raise StaleError(self.shown(name)) from None

    @contextmanager
    def local(self, name: str) -> Iterator[Path]:
        """Download the object into scratch, unless it is what was put there last."""
        found = self._bucket.head(name)
        with _scratch_errors(self.scratch), ExitStack() as stack:
            folder = stack.enter_context(TemporaryDirectory(dir=self.scratch, prefix="get-"))
            path = Path(folder) / Path(name).name
            if not self._is_kept(found, path):
                self._download(found, path)
            kept = stack.pop_all()
        with kept:
            yield path

    def _is_kept(self, found: Stored, path: Path) -> bool:
        """Give what was put last the name `path` too, if it is what is wanted."""
        with self._mutex:
            if self._kept is None or self._kept[:2] != (found.name, found.identity):
                return False
            try:
                path.hardlink_to(self._kept[2])
            except OSError:
                return False
            return True

    def mode(self, name: str) -> int:
        """Objects have no permissions."""
        del name
        return 0o777

    @property
    def renames(self) -> bool:
        """No: what is lost with scratch is made again."""
        return False

    @property
    def scratch(self) -> Path:
        """A folder of this process below TMPDIR; it is deleted when the process ends."""
        return self._scratch

    @cached_property
    def _scratch(self) -> Path:
        folder = mkdtemp(prefix="batchcomp-")
        finalize(self, shutil.rmtree, folder, ignore_errors=True)
        return Path(folder)

    def put_new(self, name: str, source: Path | bytes) -> Identity:
        """Put the object on the condition that none of its name is there."""
        self._before_change()
        try:
            found = self._bucket.put(name, source, new=True) if not one_writer() else self._put_alone(name, source)
        except FileExistsError:
            found = self._own(name, source) or ""
            if not found:
                raise
        return self._take(name, found, source)

    def _put_alone(self, name: str, source: Path | bytes) -> str:
        """Put a new object into a store that takes no conditions, which nobody else writes to."""
        if self.stat(name) is not None:
            raise taken(self.shown(name))
        return self._bucket.put(name, source)

    def replace(self, name: str, source: Path | bytes, identity: Identity | None = None) -> Identity:
        """Put the object on the condition that the one of this identity is still there."""
        self._before_change()
        try:
            known = _e_tag(identity) if identity and not one_writer() else None
            found = self._bucket.put(name, source, identity=known)
        except StaleError:
            found = self._own(name, source) or ""
            if not found:
                raise
        return self._take(name, found, source)

    def set_aside(self, name: str, other: str) -> None:
        """Put a copy under the other name."""
        with self.local(name) as path:
            copy = self.scratch / f"{other}.copy"
            with _scratch_errors(self.scratch):
                shutil.copyfile(path, copy)
            try:
                self.put_new(other, copy)
            finally:
                copy.unlink(missing_ok=True)

    def delete(self, name: str) -> None:
        """Delete the object."""
        self._before_change()
        self._bucket.delete(name)

    def lock(self) -> Lock:
        """Return a lease: an object that its holder renews, and that others take over once it has run out."""
        return Lease(self._bucket, self._hold)

    def _hold(self, lease: Lease | None) -> None:
        self._lease = lease

    def _before_change(self) -> None:
        """Make sure that the store keeps conditions, and that a lease that was taken is still held."""
        if not self._checked:
            check_conditional(self._bucket)
            self._checked = True
        if self._lease is not None:
            self._lease.check()

    def _own(self, name: str, source: Path | bytes) -> str | None:
        """Return the ETag of what is stored if it is, byte for byte, what was to be put; else None."""
        try:
            found = self._bucket.head(name)
            size = source.stat().st_size if isinstance(source, Path) else len(source)
            if found.size != size:
                return None
            for start in range(0, size, _DOWNLOAD):
                data, _ = self._bucket.get(name, start, min(size, start + _DOWNLOAD), found.identity)
                if data != _piece_of(source, start, len(data)):
                    return None
        except (FileNotFoundError, StaleError):
            return None
        return found.identity

    def _take(self, name: str, e_tag: str, source: Path | bytes) -> Identity:
        """Keep the file that was put until the next one: what comes next reads it. Return its identity."""
        if isinstance(source, bytes):
            return _identity(len(source), e_tag)
        size, kept = source.stat().st_size, self.scratch / "kept"
        with self._mutex:
            self._kept = None
            try:
                source.replace(kept)
            except OSError:
                source.unlink(missing_ok=True)
            else:
                self._kept = (name, e_tag, kept)
        return _identity(size, e_tag)

    def _download(self, found: Stored, path: Path) -> None:
        with path.open("xb") as file:
            for start in range(0, found.size, _DOWNLOAD):
                end = min(found.size, start + _DOWNLOAD)
                file.write(self._bucket.get(found.name, start, end, found.identity)[0])


def _piece_of(source: Path | bytes, start: int, size: int) -> bytes:
    if isinstance(source, bytes):
        return source[start : start + size]
    with source.open("rb") as file:
        file.seek(start)
        return file.read(size)


def _entry(found: Stored) -> Entry:
    return Entry(found.name, found.size, _identity(found.size, found.identity))


def _identity(size: int, e_tag: str) -> Identity:
    return f"{size}-{e_tag}"


def _size(identity: Identity) -> int:
    return int(identity.partition("-")[0])


def _e_tag(identity: Identity) -> str:
    return identity.partition("-")[2]


@contextmanager
def _scratch_errors(folder: Path) -> Iterator[None]:
    """Say of a local disk that refuses that it is that one."""
    try:
        yield
    except StoreError:
        raise
    except (FileNotFoundError, StaleError):
        raise
    except OSError as error:
        reason = error.strerror or os.strerror(error.errno or 0)
        raise StoreError(
            f"the scratch folder {folder} cannot be written to: {reason}", "free some space there, or set TMPDIR"
        ) from error
