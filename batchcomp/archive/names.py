"""Which names an archive may hold, and how an entry gets its name. Distrusted at writing and at reading alike."""

from __future__ import annotations

import re
import unicodedata
from itertools import count

MANIFEST_NAME = "batchcomp-manifest.jsonl"
MAX_COMPONENT = 255  # bytes of UTF-8: the limit of ext4, APFS, XFS; no reader could unzip more
MAX_NAME = 4096  # bytes of UTF-8: PATH_MAX
NOT_DERIVABLE = 0xFFFF  # the rename number of an entry whose name does not lead back to the path

_DRIVE = re.compile(r"[A-Za-z]:")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_NUMBER = re.compile(r"~([2-9]|[1-9][0-9]{1,4})(?=\.[^./]*$|$)")


def name_problem(name: str) -> str:
    """Say why `name` is not a safe relative POSIX path, or return "" if it is."""
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        return "it is not valid UTF-8"
    if _CONTROL.search(name):
        return "it has a control character in it"
    if "\\" in name:
        return "it has a backslash in it, which separates folders on Windows"
    if name.startswith("/") or _DRIVE.match(name):
        return "it is absolute, not relative"
    if size > MAX_NAME:
        return f"it has {size} bytes, at most {MAX_NAME} are allowed"
    return _component_problem(name.split("/"))


def entry_problem(entry: str) -> str:
    """Like `name_problem`, for the name of an entry: the manifest's own name is reserved."""
    if clash_key(entry) == MANIFEST_NAME:
        return "it is reserved for the manifest"
    return name_problem(entry)


def _component_problem(components: list[str]) -> str:
    for component in components:
        if component in ("", ".", ".."):
            return f"it has the component {component!r} in it"
        if len(component.encode()) > MAX_COMPONENT:
            return f"a component is longer than {MAX_COMPONENT} bytes"
    return ""


def clash_key(entry: str) -> str:
    """Return what two entries must differ in, so that `unzip` keeps both on macOS and Windows too."""
    return unicodedata.normalize("NFC", entry).casefold()


def unique_entry(natural: str, taken: set[str]) -> str:
    """Return `natural`, or the first of `name~2.ext`, `name~3.ext`, ... whose clash key is not in `taken`."""
    for number in count(1):
        entry = _numbered(natural, number)
        key = clash_key(entry)
        if key not in taken and key != MANIFEST_NAME:
            return entry
    raise AssertionError  # count() does not end


def rename_number(natural: str, entry: str) -> int:
    """Return how `entry` came from `natural`: 0 as it is, N >= 2 for `~N`, else `NOT_DERIVABLE`."""
    if entry == natural:
        return 0
    match = _NUMBER.search(entry)
    if match and entry[: match.start()] + entry[match.end() :] == natural:
        return int(match[1])
    return NOT_DERIVABLE


def natural_name(entry: str, suffix: str, number: int) -> str:
    """Return the path that an entry of a kind with `suffix` was made from, given its rename number.

    Where that does not lead back (`NOT_DERIVABLE`), what is left of the name without the suffix.
    """
    if 2 <= number < NOT_DERIVABLE and (match := _NUMBER.search(entry)):
        entry = entry[: match.start()] + entry[match.end() :]
    return entry.removesuffix(suffix) or entry


def _numbered(natural: str, number: int) -> str:
    folder, slash, name = natural.rpartition("/")
    dot = name.rfind(".")
    stem, suffix = (name[:dot], name[dot:]) if dot > 0 else (name, "")
    tail = (f"~{number}" if number > 1 else "") + suffix
    return folder + slash + _cut(stem, MAX_COMPONENT - len(tail.encode())) + tail


def _cut(text: str, size: int) -> str:
    """Return the longest start of `text` that has at most `size` bytes (a path of 252..255 bytes plus ".jpg")."""
    data = text.encode()
    return text if len(data) <= size else data[: max(size, 1)].decode(errors="ignore")
