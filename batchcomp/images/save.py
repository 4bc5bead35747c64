"""One picture to one file: complete or absent, never over another file unless asked, never outside the folder."""

from __future__ import annotations

import contextlib
import errno
import os
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO

from batchcomp.errors import FileError, PictureError
from batchcomp.escapes import file_path
from batchcomp.images.names import name_problem, shown, temp_name
from batchcomp.images.outputs import output_format
from batchcomp.images.picture import Picture
from batchcomp.images.pillow_warnings import ignore_pillow_warnings
from batchcomp.outputs import DEFAULT_OUTPUT, OUTPUTS

Write = Callable[[IO[bytes]], object]

_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}  # as exFAT or SMB answer
_NEXT_STEPS = {
    errno.ENOSPC: "free some space and run again",
    errno.EDQUOT: "free some space and run again",
    errno.EFBIG: "free some space and run again",
    errno.EROFS: "choose another folder with -o",
    errno.EACCES: "choose another folder with -o",
    errno.EPERM: "choose another folder with -o",
    errno.ENAMETOOLONG: "choose a folder with a shorter path with -o",
    errno.ENOTDIR: "move that file away or choose another folder with -o",
    errno.EEXIST: "choose another folder with -o, or pass --force to overwrite it",
}
_STEPS_OF_ONE_FILE = _NEXT_STEPS | {  # of a file whose name was given, not of one below -o
    errno.EROFS: "choose a folder that can be written to",
    errno.EACCES: "choose a folder that can be written to",
    errno.EPERM: "choose a folder that can be written to",
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.ENOTDIR: "move that file away or choose another name",
    errno.EEXIST: "move it away or choose another name",
    errno.EISDIR: "choose another name",
}


def save(  # noqa: PLR0913 - the file's attributes, all by keyword
    picture: Picture,
    path: Path,
    *,
    format: str,  # noqa: A002 - the word of the command line
    overwrite: bool = False,
    mtime_ns: int | None = None,
    permissions: int | None = None,
) -> None:
    """Write `picture` with its alpha and metadata to the file `path`; see `save_bytes` for how.

    What the format has no place for is left out: `outputs.left_out` names it.

    Args:
        picture: What to write.
        path: The file; folders above it are made.
        format: A key of `OUTPUTS`: "png" (lossless), "jpeg", "webp", "avif" or "jxl" (quality 95).
        overwrite: Replace an existing file.
        mtime_ns: Modification time to set, in nanoseconds since the epoch.
        permissions: Permission bits to set; by default those that the umask gives.

    Raises:
        PictureError: The picture does not fit the format, or the file cannot be written.
    """
    if format not in OUTPUTS:
        raise PictureError(f"{shown(path)}: unknown format {format!r}; choose one of {', '.join(OUTPUTS)}")
    output = output_format(format)
    if max(picture.width, picture.height) > output.max_side:
        size = f"{picture.width} x {picture.height}"
        raise PictureError(f"{shown(path)}: {size} pixels are too many for {format}; choose --format {DEFAULT_OUTPUT}")
    if picture.metadata.alpha and not OUTPUTS[format].alpha:
        raise PictureError(f"{shown(path)}: {output.name} has no alpha channel; choose --format {DEFAULT_OUTPUT}")

    def write(file: IO[bytes]) -> None:
        output.write(picture, file)

    with ignore_pillow_warnings():
        _write_file(
            path,
            write,
            overwrite=overwrite,
            mtime_ns=mtime_ns,
            permissions=permissions,
        )


def save_bytes(
    data: bytes,
    path: Path,
    *,
    overwrite: bool = False,
    mtime_ns: int | None = None,
    permissions: int | None = None,
) -> None:
    """Write `data` to the file `path`: temporary file beside it, fsync, rename or link, fsync of the folder.

    Raises:
        PictureError: The file exists and `overwrite` is not set, or it cannot be written; nothing is left behind.
    """
    _write_file(path, lambda file: file.write(data), overwrite=overwrite, mtime_ns=mtime_ns, permissions=permissions)


def write_result(data: bytes, path: Path, *, overwrite: bool = False) -> None:
    """Write the one file that a command was asked for, such as a page; see `save_bytes` for how.

    Raises:
        FileError: it cannot be written.
    """
    try:
        save_bytes(data, path, overwrite=overwrite)
    except PictureError as error:
        cause = error.__cause__
        reason = _reason(cause, _STEPS_OF_ONE_FILE) if isinstance(cause, Exception) else str(error)
        raise FileError(f"{shown(path)}: {reason}") from error


def safe_join(root: Path, name: str) -> Path:
    """Return the file below `root` that is called `name` in an archive; see `escapes`.

    Raises:
        PictureError: The name is absolute, holds `..`, a drive, a backslash, a NUL or an empty part, or a symbolic
            link on its way leads out of `root`.
    """
    problem = name_problem(name)
    if problem is not None:
        raise PictureError(f"{shown(name)}: {problem}; the archive may be forged, nothing was written for it")
    path = root / file_path(name)
    try:
        inside = path.parent.resolve().is_relative_to(root.resolve())
    except (OSError, RuntimeError) as error:
        raise PictureError(f"{shown(path)}: {error}; choose another folder with -o") from error
    if not inside:
        raise PictureError(f"{shown(path)}: a symbolic link leads out of {shown(root)}; remove the link")
    return path


def check_free(path: Path) -> None:
    """Raise the PictureError that saving without `overwrite` ends with, if there is a file."""
    if os.path.lexists(path):
        error = FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
        raise PictureError(f"{shown(path)}: {_reason(error)}") from error


def _write_file(path: Path, write: Write, *, overwrite: bool, mtime_ns: int | None, permissions: int | None) -> None:
    temp = path.with_name(temp_name()) if path.name else path
    try:
        if not overwrite and os.path.lexists(path):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))  # before the work of encoding
        _make_folder(path.parent)
        _fill(temp, write, mtime_ns, permissions)
        _commit(temp, path, overwrite=overwrite)
    except (OSError, ValueError, OverflowError, MemoryError, struct.error, TypeError) as error:
        raise PictureError(f"{shown(path)}: {_reason(error)}") from error
    finally:
        with contextlib.suppress(OSError, ValueError):
            temp.unlink(missing_ok=True)
    _sync_folder(path.parent)


def _fill(temp: Path, write: Write, mtime_ns: int | None, permissions: int | None) -> None:
    """Write the new file `temp` down to the disk, with its attributes."""
    with temp.open("xb") as file:
        if permissions is not None:  # before there is anything to read
            temp.chmod(permissions & 0o777)
        write(file)
        file.flush()
        os.fsync(file.fileno())
    if mtime_ns is not None:
        _set_time(temp, mtime_ns)


def _set_time(path: Path, mtime_ns: int) -> None:
    """Set the time where the system and the disk have such a year."""
    try:
        os.utime(path, ns=(mtime_ns, mtime_ns))
    except OverflowError:
        return
    except OSError as error:
        if error.errno not in {errno.EINVAL, errno.EOVERFLOW}:
            raise


def _commit(temp: Path, path: Path, *, overwrite: bool) -> None:
    """Give `temp` its final name; without `overwrite` this fails if the name was taken meanwhile."""
    if overwrite:
        temp.replace(path)
        return
    try:
        path.hardlink_to(temp)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        _reserve_and_replace(temp, path)


def _reserve_and_replace(temp: Path, path: Path) -> None:
    """Commit where there are no hard links: an exclusive empty file holds the name until the rename."""
    path.open("xb").close()
    try:
        temp.replace(path)
    except OSError:
        path.unlink()
        raise


def _sync_folder(folder: Path) -> None:
    """Make the new name last. The file is complete by now, so a file system that cannot do this is no failure."""
    if os.name == "nt":
        return
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:  # not the file to write, so --force would not help
        raise NotADirectoryError(errno.ENOTDIR, "a file is where its folder should be") from error


def _reason(error: Exception, steps: Mapping[int, str] = _NEXT_STEPS) -> str:
    if isinstance(error, OSError) and error.errno is not None:
        step = steps.get(error.errno, "check the folder")
        return f"cannot be written ({(error.strerror or 'error').lower()}); {step}"
    if isinstance(error, MemoryError):
        return "not enough memory to encode it; close other programs and run again"
    return f"cannot be encoded ({shown(error)}); choose --format {DEFAULT_OUTPUT}"
