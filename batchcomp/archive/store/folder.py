"""A folder of this machine as a store: temporary files that are renamed, waited for on the disk."""

from __future__ import annotations

import errno
import os
import stat as modes
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

from batchcomp.archive import durable
from batchcomp.archive.store.base import FOLDER, Entry, Identity, Lock, StaleError, StoredFile
from batchcomp.archive.store.folder_lock import WriterLock


@dataclass(frozen=True, slots=True)
class Folder:
    """The store in the folder `path`; see `Store`. Every change of the disk is a step of `durable`."""

    path: Path

    def __str__(self) -> str:
        return str(self.path)

    @property
    def place(self) -> Path:
        """The folder's path."""
        return self.path

    def shown(self, name: str) -> str:
        """Return the file's path."""
        return str(self.path / name)

    def exists(self) -> bool:
        """Tell whether there is a folder."""
        return self.path.is_dir()

    def create(self) -> bool:
        """Make the folder and its parents; NotADirectoryError where a file has its name."""
        if self.path.exists() and not self.path.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(self.path))
        return durable.make_folder(self.path)

    def remove_empty(self) -> None:
        """Delete the folder unless something is in it."""
        self.path.rmdir()

    def entries(self, under: str = "") -> list[Entry]:
        """Return the files in the folder, and whatever else lies there with its problem."""
        try:
            with os.scandir(self.path / under) as found:
                entries = [_entry(one) for one in found]
        except (FileNotFoundError, NotADirectoryError):
            if under and self.path.is_dir():
                return []
            raise
        return sorted((entry for entry in entries if entry), key=lambda entry: entry.name)

    def stat(self, name: str) -> Entry | None:
        """Return the entry of a regular file, also of one behind a link."""
        try:
            status = (self.path / name).stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        if not modes.S_ISREG(status.st_mode):
            return None
        return Entry(name, status.st_size, _identity(status))

    def open(self, name: str) -> StoredFile:
        """Open the file."""
        raw = FileIO(self.path / name, "rb")
        try:
            status = os.fstat(raw.fileno())
            return StoredFile(raw, _identity(status), status.st_size)
        except BaseException:
            raw.close()
            raise

    def read(self, name: str, offset: int, size: int, identity: Identity | None = None) -> bytes:
        """Read a piece of the file, in one go."""
        with FileIO(self.path / name, "rb") as raw:
            if identity is not None and _identity(os.fstat(raw.fileno())) != identity:
                raise StaleError(self.shown(name))
            raw.seek(offset)
            data = raw.read(size)
            while len(data) < size and (more := raw.read(size - len(data))):  # one call returns at most 2 GB
                data += more
            return data

    def local(self, name: str) -> AbstractContextManager[Path]:
        """The file itself."""
        return nullcontext(self.path / name)

    def mode(self, name: str) -> int:
        """Return the file's permissions."""
        try:
            return modes.S_IMODE((self.path / name).stat().st_mode)
        except FileNotFoundError:
            return 0o777

    @property
    def renames(self) -> bool:
        """Yes."""
        return True

    @property
    def scratch(self) -> Path:
        """The folder itself."""
        return self.path

    def put_new(self, name: str, source: Path | bytes) -> Identity:
        """Give the file its name, never over another one."""
        final = self.path / name
        temp = self._written(final, source)
        try:
            durable.publish(temp, final)
            durable.sync_folder(final.parent)
        except BaseException:
            _discard(temp, source)
            raise
        return _identity(final.stat())

    def replace(self, name: str, source: Path | bytes, identity: Identity | None = None) -> Identity:
        """Rename the file over the old one. The lock, which the caller holds, keeps others from doing so meanwhile."""
        final = self.path / name
        if identity is not None:
            known = self.stat(name)
            if known is None or known.identity != identity:
                raise StaleError(self.shown(name))
        temp = self._written(final, source)
        try:
            durable.replace(temp, final)
            durable.sync_folder(final.parent)
        except BaseException:
            _discard(temp, source)
            raise
        return _identity(final.stat())

    def set_aside(self, name: str, other: str) -> None:
        """Link the file to another name; rename it where the disk has no hard links."""
        durable.set_aside(self.path / name, self.path / other)

    def delete(self, name: str) -> None:
        """Delete the file."""
        durable.remove(self.path / name)

    def lock(self) -> Lock:
        """Return the lock of the operating system on the folder."""
        return WriterLock(self.path)

    def _written(self, final: Path, source: Path | bytes) -> Path:
        """Return a complete temporary file in the folder."""
        if isinstance(source, Path):
            return source
        if final.parent != self.path:
            durable.make_folder(final.parent)
        return durable.write_temp(final, source)


def _discard(temp: Path, source: Path | bytes) -> None:
    if not isinstance(source, Path):
        with suppress(OSError):
            durable.remove(temp)


def _entry(found: os.DirEntry[str]) -> Entry | None:
    """Return the entry of what lies in a folder, None where it is gone by now."""
    try:
        status = found.stat(follow_symlinks=False)
    except FileNotFoundError:
        return None
    problem = ""
    if found.is_symlink():
        problem = "is a symbolic link"
    elif not found.is_file(follow_symlinks=False):
        problem = FOLDER if found.is_dir(follow_symlinks=False) else "is no regular file"
    return Entry(found.name, status.st_size, _identity(status), problem)


def _identity(status: os.stat_result) -> Identity:
    return f"{status.st_dev:x}-{status.st_ino:x}-{status.st_size:x}-{status.st_mtime_ns:x}"
