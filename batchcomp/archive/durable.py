"""Every call that changes the disk, in one small place, so that tests can make any of them fail."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path
from typing import Final

from batchcomp.errors import ArchiveError

_NO_LINKS: Final = {errno.EPERM, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EMLINK, errno.EXDEV, errno.EACCES}
_ADVICE: Final = {
    errno.ENOSPC: "free some space and run again",
    errno.EDQUOT: "free some space and run again",
    errno.EFBIG: "write to a disk that takes larger files",
    errno.EROFS: "choose a folder that can be written to",
    errno.EACCES: "choose a folder that can be written to",
    errno.EPERM: "choose a folder that can be written to",
    errno.ENOENT: "check that the folder still exists and its disk is connected",
    errno.EEXIST: "check that no other program writes to this folder",
}


@contextmanager
def reported(path: Path) -> Iterator[None]:
    """Turn an OSError into an ArchiveError of one line: path, reason, next step."""
    try:
        yield
    except OSError as error:
        advice = _ADVICE.get(error.errno or 0, "check the disk and run again")
        raise ArchiveError(f"{path}: {error.strerror or error}; {advice}") from error


def make_folder(path: Path) -> bool:
    """Create the folder and its parents durably; return False if it was there already."""
    try:
        path.mkdir(parents=True)
    except FileExistsError:
        return False
    sync_folder(path.parent)
    return True


def create(path: Path) -> FileIO:
    """Create a file that must not exist yet and open it for writing, unbuffered."""
    return FileIO(path, "xb")


def write(file: FileIO, data: bytes) -> None:
    """Write all of `data`; a raw file may take less at a time."""
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]


def cut(file: FileIO, size: int) -> None:
    """Make the file `size` bytes long and go on writing there."""
    file.seek(size)
    file.truncate()


def sync_file(file: FileIO) -> None:
    """Wait until the file's bytes are on the disk (on macOS, past the drive's cache too)."""
    if sys.platform == "darwin":
        import fcntl  # noqa: PLC0415  # not on Windows

        with suppress(OSError):  # network disks do not know it
            fcntl.fcntl(file.fileno(), fcntl.F_FULLFSYNC)
    os.fsync(file.fileno())


def sync_folder(path: Path) -> None:
    """Wait until the folder's names are on the disk."""
    if os.name == "nt":  # folders cannot be opened there; NTFS journals names itself
        return
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def publish(temp: Path, final: Path) -> None:
    """Give `temp` the name `final`, never over another file; doing it again after an interruption is safe.

    Raises:
        FileExistsError: another file has that name.
    """
    try:
        os.link(temp, final)
    except FileExistsError:
        if not final.samefile(temp):
            raise
    except OSError as error:
        if error.errno not in _NO_LINKS:  # FAT and some network disks have no hard links
            raise
        _rename_to_new(temp, final)
        return
    temp.unlink()


def remove(path: Path) -> None:
    """Delete a file if it is there."""
    path.unlink(missing_ok=True)


def atomic_write(path: Path, data: bytes) -> None:
    """Replace the file by `data` so that, whenever power fails, the old or the new bytes are there in full."""
    temp = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        remove(temp)
        with create(temp) as file:
            write(file, data)
            sync_file(file)
        temp.replace(path)
        sync_folder(path.parent)
    except BaseException:
        with suppress(OSError):
            remove(temp)
        raise


def _rename_to_new(temp: Path, final: Path) -> None:
    if final.exists():  # nobody can come in between: the caller holds the archive's lock
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(final))
    temp.rename(final)
