"""Every call that changes the disk, in one small place, so that tests can make any of them fail."""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
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
    errno.ENOTDIR: "a file is where a folder is needed; choose another name",
    errno.EEXIST: "check that no other program writes to this folder",
}


_OF_DISKS: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO}


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One change of the disk that is about to be made, as a watcher sees it.

    `kind` is make_folder, create, set_mode, write, cut, sync_file, sync_folder, link, rename, replace or remove.
    `path` is what is changed, `other` the new name of a link, rename or replace, `data` what is written at the end.
    """

    kind: str
    path: Path
    other: Path | None = None
    data: bytes = b""
    size: int = 0  # bytes that `cut` leaves


Watcher = Callable[[Step], None]
_watchers: list[Watcher] = []


@contextmanager
def watched(watcher: Watcher) -> Iterator[None]:
    """Call `watcher` before every step of this process, so that a test can count, record or fail it, or end there."""
    _watchers.append(watcher)
    try:
        yield
    finally:
        _watchers.remove(watcher)


def _about_to(kind: str, path: Path, other: Path | None = None, data: bytes = b"", size: int = 0) -> None:
    for watcher in _watchers:
        watcher(Step(kind=kind, path=path, other=other, data=data, size=size))


@contextmanager
def reported(where: object, advice: str = "") -> Iterator[None]:
    """Turn an OSError into an ArchiveError of one line: where (a path, a store), reason, next step.

    The next step is what the error itself says in its attribute `advice`, else what is given, else what fits to it.
    """
    try:
        yield
    except OSError as error:
        fitting = _ADVICE.get(error.errno or 0, "check the disk and run again")
        scratch = getattr(where, "scratch", where)  # of a store: where it builds files
        if str(scratch) != str(where) and error.errno in _OF_DISKS:
            where, fitting = f"{where}: scratch folder {scratch}", f"{fitting}; TMPDIR names another one"
        next_step = getattr(error, "advice", "") or advice or fitting
        raise ArchiveError(f"{where}: {error.strerror or error}; {next_step}") from error


def is_unreadable(error: BaseException | None) -> bool:
    """Whether the disk itself could not read: a bad sector, a cable."""
    return isinstance(error, OSError) and error.errno == errno.EIO


def make_folder(path: Path) -> bool:
    """Create the folder and its parents durably; return False if it was there already."""
    if not path.exists():
        _about_to("make_folder", path)
    try:
        path.mkdir(parents=True)
    except FileExistsError:
        return False
    sync_folder(path.parent)
    return True


def create(path: Path) -> FileIO:
    """Create a file that must not exist yet and open it for writing, unbuffered."""
    _about_to("create", path)
    return FileIO(path, "xb")


def set_mode(file: FileIO, mode: int) -> None:
    """Set who may read an open file, where the system knows that."""
    if hasattr(os, "fchmod"):  # Windows has it from Python 3.13 on, and no such bits
        _about_to("set_mode", _path_of(file))
        with suppress(PermissionError, NotImplementedError):  # FAT and some network disks have one mode for all
            os.fchmod(file.fileno(), mode)


def narrow(file: FileIO, like: Path) -> None:
    """Let an open file allow nobody more than another one does."""
    own = mode_of(file)
    if (mode := own & stat.S_IMODE(like.stat().st_mode)) != own:
        set_mode(file, mode)


def mode_of(file: FileIO) -> int:
    """Return the permissions of an open file."""
    return stat.S_IMODE(os.fstat(file.fileno()).st_mode)


def write(file: FileIO, data: bytes) -> None:
    """Write all of `data`; a raw file may take less at a time."""
    _about_to("write", _path_of(file), data=data)
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]


def cut(file: FileIO, size: int) -> None:
    """Make the file `size` bytes long and go on writing there."""
    _about_to("cut", _path_of(file), size=size)
    file.seek(size)
    file.truncate()


def sync_file(file: FileIO) -> None:
    """Wait until the file's bytes are on the disk (on macOS, past the drive's cache too)."""
    _about_to("sync_file", _path_of(file))
    if sys.platform == "darwin":
        import fcntl  # noqa: PLC0415  # not on Windows

        with suppress(OSError):  # network disks do not know it
            fcntl.fcntl(file.fileno(), fcntl.F_FULLFSYNC)
    os.fsync(file.fileno())


def sync_folder(path: Path) -> None:
    """Wait until the folder's names are on the disk."""
    if os.name == "nt":  # folders cannot be opened there; NTFS journals names itself
        return
    _about_to("sync_folder", path)
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
    if link(temp, final):
        remove(temp)
    else:
        _rename_to_new(temp, final)


def link(path: Path, other: Path) -> bool:
    """Give a file a second name, never another file's; return False where the disk has no hard links.

    Raises:
        FileExistsError: another file has that name.
    """
    _about_to("link", path, other)
    try:
        os.link(path, other)
    except FileExistsError:
        if not other.samefile(path):
            raise
    except OSError as error:
        if error.errno not in _NO_LINKS:  # FAT and some network disks have none
            raise
        return False
    return True


def replace(temp: Path, final: Path) -> None:
    """Give `temp` the name `final`, in place of the file that has it; there is always one of the two."""
    _about_to("replace", temp, final)
    temp.replace(final)


def set_aside(path: Path, other: Path) -> None:
    """Keep the file `path` under the new name `other`; where there are hard links, under the old one too."""
    if not link(path, other):
        _rename_to_new(path, other)
    sync_folder(path.parent)


def remove(path: Path) -> None:
    """Delete a file if it is there."""
    _about_to("remove", path)
    path.unlink(missing_ok=True)


def atomic_write(path: Path, data: bytes) -> None:
    """Replace the file by `data` so that, whenever power fails, the old or the new bytes are there in full."""
    temp = write_temp(path, data)
    try:
        replace(temp, path)
        sync_folder(path.parent)
    except BaseException:
        with suppress(OSError):
            remove(temp)
        raise


def write_temp(path: Path, data: bytes) -> Path:
    """Write a complete temporary file beside `path`, to be renamed to it, and return its path."""
    temp = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        remove(temp)
        with create(temp) as file:
            write(file, data)
            sync_file(file)
    except BaseException:
        with suppress(OSError):
            remove(temp)
        raise
    return temp


def _rename_to_new(temp: Path, final: Path) -> None:
    if final.exists():  # nobody can come in between: the caller holds the archive's lock
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(final))
    _about_to("rename", temp, final)
    temp.rename(final)


def _path_of(file: FileIO) -> Path:
    return Path(str(file.name))
