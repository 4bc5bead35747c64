"""Names of pictures inside an archive: relative, posix, UTF-8, and never trusted."""

from __future__ import annotations

import os
import re
import secrets

TEMP_PREFIX, TEMP_SUFFIX = ".batchcomp-", ".tmp"  # every temporary file of ours; walks skip them
ARCHIVE_SUFFIX = ".bca"

_DRIVE = re.compile(r"[A-Za-z]:")


def name_problem(name: str) -> str | None:
    """Return why `name` cannot be the name of a picture in an archive, or None when it can.

    A usable name is relative, in posix form, valid UTF-8, and stays below the folder it is joined to on any system.
    """
    if not name or any(part in {"", ".", ".."} for part in name.split("/")):
        return "its name is empty, absolute, or holds an empty, '.' or '..' part"
    if "\0" in name or "\\" in name:
        return "its name holds a backslash or a NUL"
    if _DRIVE.match(name):
        return "its name begins like a drive letter"
    try:
        name.encode()
    except UnicodeEncodeError:
        return "its name is not valid UTF-8"
    return None


def shown(name: object) -> str:
    """Return `name` for a one-line message: control characters and broken UTF-8 are escaped."""
    text = str(name).encode("utf-8", "backslashreplace").decode()
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def temp_name() -> str:
    """Return a fresh name for a temporary file of ours."""
    return f"{TEMP_PREFIX}{secrets.token_hex(8)}{TEMP_SUFFIX}"


def is_temp(name: str) -> bool:
    """Tell whether `name` (one component) is a temporary file of ours."""
    return name.startswith(TEMP_PREFIX) and name.endswith(TEMP_SUFFIX)


_LITTER = {".ds_store", "thumbs.db", "ehthumbs.db", "desktop.ini", ".localized", "icon\r"}
_APPLE_DOUBLE = bytes.fromhex("00051607")
_LITTER_FOLDERS = {".spotlight-v100", ".trashes", ".fseventsd", "$recycle.bin", "system volume information", "@eadir"}


def is_litter(name: str, *, folder: bool = False) -> bool:
    """Tell whether `name` (one component) is what systems leave in folders: no file of anybody's."""
    lower = name.lower()
    return lower in _LITTER_FOLDERS if folder else lower in _LITTER


def is_apple_double(path: str, name: str) -> bool:
    """Tell whether a file `._NAME` is what macOS keeps of NAME on foreign disks (RFC 1740): by name and first bytes."""
    if not name.startswith("._"):
        return False
    try:
        if not os.path.isfile(path):  # noqa: PTH113 - path is a str, as the walk has it; a pipe would not answer
            return False
        with open(path, "rb") as file:  # noqa: PTH123
            return file.read(len(_APPLE_DOUBLE)) == _APPLE_DOUBLE
    except OSError:
        return False
