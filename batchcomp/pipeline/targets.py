"""Where decoding puts each picture: a name of its own for every path, on any file system."""

from __future__ import annotations

import os
import secrets
import threading
import unicodedata
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Protocol

from batchcomp.archive.names import clash_key, shortened, unique_entry
from batchcomp.archive.rows import Row
from batchcomp.codec.pack import SUFFIX
from batchcomp.escapes import real_path, stored_path
from batchcomp.images.formats import has_picture_suffix
from batchcomp.images.names import TEMP_PREFIX, TEMP_SUFFIX
from batchcomp.outputs import output_for, suffix_for

Sameness = Callable[[str], str]
Relatives = Callable[[list[str]], tuple[list[Row], set[str]]]
_CASE, _NFC, _NFD = "Aa", "\u00e9", "e\u0301"


def target_names(
    rows: Iterable[Row], format_name: str, *, same: Sameness = str, folders: Collection[str] = ()
) -> dict[str, str]:
    """Where each path is restored: the same name with the suffix of the output format, escaped as in an archive.

    Pictures that would meet under one name (`a.jpg` and `a.png`, also on a disk that ignores case or the way accents
    are written), or meet a folder, keep their old suffix before the new one, which is repeated where the archive holds
    that name too. Paths that are the same to the disk at hand (`a.gif` and `A.gif`) get a number: `A.gif` and
    `a~2.gif`; so does a file whose name is a folder's too, as where one took the other's place. Names that would be
    longer than 255 bytes are cut and marked by a hash.

    Args:
        rows: all current rows of an archive.
        format_name: one of `outputs.FORMATS`.
        same: says by equal answers which names the disk cannot tell apart, see `sameness`.
        folders: paths of folders that the archive has beside those of the rows.
    """
    chosen = {row.path: row for row in rows}
    old = {path: real_path(path) for path in chosen}
    suffixes = {path: suffix_for(format_name, format_of(row, format_name), old[path]) for path, row in chosen.items()}
    names = {path: _restored_name(row, old[path], suffixes[path]) for path, row in chosen.items()}
    folders = _folders([*old.values(), *(f"{real_path(folder)}/" for folder in folders)])
    crowd = Counter(clash_key(name) for name in names.values()) + Counter(map(clash_key, folders))
    crowded = sorted(path for path, name in names.items() if name != old[path] and crowd[clash_key(name)] > 1)
    taken = {clash_key(name) for name in names.values()} - {clash_key(names[path]) for path in crowded}
    taken |= {clash_key(name) for path, name in names.items() if name == old[path]} | set(map(clash_key, folders))
    for path in crowded:
        longer = f"{old[path]}{suffixes[path]}"
        while clash_key(_fitted(longer)) in taken:
            longer += suffixes[path]
        names[path] = _fitted(longer)
        taken.add(clash_key(names[path]))
    return {path: stored_path(name) for path, name in _told_apart(names, folders, same).items()}


class Named(Protocol):
    """Where each path is restored."""

    def __getitem__(self, path: str, /) -> str:
        """Return its name below the output folder."""


class Names:
    """Where each path is restored, as `target_names` of all rows has it, worked out for one path when it is asked for.

    Threads may share one.
    """

    def __init__(self, relatives: Relatives, format_name: str, same: Sameness) -> None:
        """Keep what is needed.

        Args:
            relatives: gives the rows and folders that matter to the names of some paths, see `ArchiveIndex.relatives`.
            format_name: a key of `OUTPUTS`.
            same: see `target_names`.
        """
        self._relatives, self._format, self._same = relatives, format_name, same
        self._lock = threading.Lock()

    def __getitem__(self, path: str) -> str:
        with self._lock:
            rows, folders = self._relatives([path])
        return target_names(rows, self._format, same=self._same, folders=folders)[path]


def format_of(row: Row, format_name: str) -> str:
    """The format that a picture is restored in: PNG where it has an alpha channel and the format asked for has none."""
    return output_for(format_name, alpha=row.mode.endswith("A"), path=row.path)


def sameness(folder: Path) -> Sameness:
    """Find out by two short-lived files which names the disk of `folder` cannot tell apart.

    Where that cannot be found out it is taken to tell all of them apart: nothing is overwritten in any case.
    """
    probe = next((path for path in (folder, *folder.absolute().parents) if path.is_dir()), folder)
    folds_case, folds_accents = _takes_for(probe, _CASE, _CASE.lower()), _takes_for(probe, _NFC, _NFD)

    def key(name: str) -> str:
        name = unicodedata.normalize("NFC", name) if folds_accents else name
        return name.casefold() if folds_case else name

    return key


def payload_target(name: str, suffix: str) -> str:
    """`holiday.png.jpg` -> `holiday.png`; `holiday.jpg` -> `holiday.png`. Both names are files' names."""
    return _fitted(f"{_without_suffix(payload_path(name))}{suffix}")


def payload_path(name: str) -> str:
    """What a payload file held: `holiday.png.jpg` -> `holiday.png`; `holiday.jpg` -> `holiday`."""
    return _without_suffix(name.removesuffix(SUFFIX))


def _restored_name(row: Row, name: str, suffix: str) -> str:
    return name if row.stored == "verbatim" else _fitted(f"{_without_suffix(name)}{suffix}")


def _without_suffix(name: str) -> str:
    """Return a name without the suffix of a picture; `vers 1.5` has none."""
    return name[: -len(PurePosixPath(name).suffix)] if has_picture_suffix(name) else name


def _fitted(name: str) -> str:
    """Return a name whose last component no disk finds too long."""
    folder, slash, last = name.rpartition("/")
    return f"{folder}{slash}{shortened(last)}"


def _folders(names: Iterable[str]) -> set[str]:
    """Return the folders above all names."""
    found = {name.rpartition("/")[0] for name in names} - {""}
    return found | {str(above) for folder in found for above in PurePosixPath(folder).parents} - {"."}


def _told_apart(names: dict[str, str], folders: set[str], same: Sameness) -> dict[str, str]:
    """Number those that the disk would take for one another; the first in the order of paths keeps its name."""
    crowd = Counter(same(name) for name in names.values())
    above = set(map(same, folders))
    if all(count == 1 for count in crowd.values()) and above.isdisjoint(crowd):
        return names
    taken = {clash_key(name) for name in names.values() if crowd[same(name)] == 1}
    ways = set(map(clash_key, folders))
    answer = {}
    for path in sorted(names):
        name = names[path]
        answer[path] = unique_entry(name, taken, ways) if crowd[same(name)] > 1 or same(name) in above else name
        taken.add(clash_key(answer[path]))
    return {path: answer[path] for path in names}


def _takes_for(folder: Path, name: str, other: str) -> bool:
    """Whether a file called `name` is found as `other` in `folder`."""
    stem = f"{TEMP_PREFIX}{secrets.token_hex(8)}"
    path = folder / f"{stem}{name}{TEMP_SUFFIX}"
    try:
        path.touch(exist_ok=False)
        return os.path.lexists(folder / f"{stem}{other}{TEMP_SUFFIX}")
    except (OSError, ValueError):
        return False
    finally:
        with suppress(OSError, ValueError):
            path.unlink(missing_ok=True)
