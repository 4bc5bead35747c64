"""Which names an archive may hold, and how an entry gets its name. Distrusted at writing and at reading alike."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator
from hashlib import sha256
from itertools import count

from batchcomp.escapes import real_path

MANIFEST_NAME = "batchcomp-manifest.jsonl"
MAX_COMPONENT = 255  # bytes: the limit of ext4, APFS, XFS; no reader could unzip more
MAX_NAME = 4096  # bytes: PATH_MAX
MAX_SUFFIX = 32  # bytes: what follows the last dot of a name is no suffix if it is longer
NOT_DERIVABLE = 0xFFFF  # the rename number of an entry whose name does not lead back to the path

_DRIVE = re.compile(r"[A-Za-z]:")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_NUMBER = re.compile(r"~([2-9]|[1-9][0-9]{1,4})(?=\.[^./]*$|$)")


def name_problem(name: str) -> str:
    """Say why `name` is not a safe relative POSIX path, or return "" if it is. What it stands for has the limits."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return "it is not valid UTF-8"
    if _CONTROL.search(name):
        return "it has a control character in it"
    if "\\" in name:
        return "it has a backslash in it, which separates folders on Windows"
    if name.startswith("/") or _DRIVE.match(name):
        return "it is absolute, not relative"
    return _component_problem(name.split("/")) or _length_problem(real_path(name))


def entry_problem(entry: str) -> str:
    """Like `name_problem`, for the name of an entry, which `unzip` writes as it is; the manifest's own is reserved."""
    if clash_key(entry) == MANIFEST_NAME:
        return "it is reserved for the manifest"
    return name_problem(entry) or _length_problem(entry)


def _component_problem(components: list[str]) -> str:
    bad = next((component for component in components if component in {"", ".", ".."}), None)
    return "" if bad is None else f"it has the component {bad!r} in it"


def _length_problem(name: str) -> str:
    if (size := _size(name)) <= MAX_COMPONENT:
        return ""
    if size > MAX_NAME:
        return f"it has {size} bytes, at most {MAX_NAME} are allowed"
    if any(_size(component) > MAX_COMPONENT for component in name.split("/")):
        return f"a component is longer than {MAX_COMPONENT} bytes"
    return ""


def _size(text: str) -> int:
    return len(text.encode("utf-8", "surrogateescape"))


def clash_key(entry: str) -> str:
    """Return what two entries must differ in, so that `unzip` keeps both on macOS and Windows too."""
    return unicodedata.normalize("NFC", entry).casefold()


def unique_entry(natural: str, taken: Collection[str], folders: Collection[str] = ()) -> str:
    """Return `natural`, or the first of `name~2.ext`, `name~3.ext`, ... whose clash key is not in `taken`.

    `taken` and `folders` are clash keys of the files and the folders that are there. A folder on the way gets a number
    too where a file has its name, since `unzip` could not make both. Long names are shortened.
    """
    folder, slash, name = natural.rpartition("/")
    way = ""
    for part in folder.split("/") if slash else ():
        way += next(one for one in _numbered(part) if clash_key(way + one) not in taken) + "/"
    for last in _numbered(name):
        entry = _fitted(way + last, natural)
        key = clash_key(entry)
        if not (key in taken or key in folders or key == MANIFEST_NAME):
            return entry
    raise AssertionError  # _numbered does not end


def folder_keys(entry: str) -> Iterator[str]:
    """Yield the clash keys of the folders that an entry lies in."""
    key = clash_key(entry)
    for at, letter in enumerate(key):
        if letter == "/":
            yield key[:at]


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


def _numbered(name: str) -> Iterator[str]:
    """Yield a component as it is, then with `~2`, `~3`, ... before its suffix, each shortened where it is too long."""
    yield shortened(name)
    for number in count(2):
        yield shortened(name, f"~{number}")


def _fitted(entry: str, natural: str) -> str:
    """Return an entry's name, another one where it is too long as a whole."""
    if _size(entry) <= MAX_NAME:
        return entry
    suffix = suffix_of(entry.rpartition("/")[2])
    number = _NUMBER.search(entry)
    return f"long names/{_mark(natural)}{number[0] if number else ''}{suffix}"


def shortened(name: str, extra: str = "") -> str:
    """Return a component with `extra` before its suffix; where that is too long, cut and marked by a hash of `name`.

    So two long names stay two, in whatever segment or run they are shortened, and are shortened alike every time.
    """
    suffix = suffix_of(name)
    stem = name.removesuffix(suffix)
    if _size(name) + len(extra) <= MAX_COMPONENT:
        return stem + extra + suffix
    tail = f"~{_mark(name)[:12]}{extra}{suffix}"
    return _cut(stem, MAX_COMPONENT - _size(tail)) + tail


def suffix_of(name: str) -> str:
    """Return the last dot of a file's name and what follows it, "" where that is no suffix."""
    dot = name.rfind(".")
    suffix = name[dot:] if dot > 0 else ""
    return suffix if _size(suffix) <= MAX_SUFFIX else ""


def _mark(name: str) -> str:
    return sha256(name.encode("utf-8", "surrogateescape")).hexdigest()[:32]


def _cut(text: str, size: int) -> str:
    """Return the longest start of `text` that has at most `size` bytes."""
    while _size(text) > size:
        text = text[:-1]
    return text
