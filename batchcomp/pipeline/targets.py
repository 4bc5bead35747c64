"""Where decoding puts each picture: a name of its own for every path, on any file system."""

from __future__ import annotations

import os
import secrets
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path, PurePosixPath

from batchcomp.archive.names import unique_entry
from batchcomp.archive.rows import Row
from batchcomp.codec.pack import SUFFIX
from batchcomp.images.names import TEMP_PREFIX, TEMP_SUFFIX
from batchcomp.outputs import OUTPUTS, output_for

Sameness = Callable[[str], str]
_CASE, _NFC, _NFD = "Aa", "\u00e9", "e\u0301"


def clash_key(name: str) -> str:
    """What two names must differ in to be two files on every disk."""
    return unicodedata.normalize("NFC", name).casefold()


def target_names(rows: Iterable[Row], format_name: str, *, same: Sameness = str) -> dict[str, str]:
    """Where each path is restored: the same name with the suffix of the output format.

    Pictures that would meet under one name (`a.jpg` and `a.png`, also on a disk that ignores case or the way accents
    are written) keep their old suffix before the new one, which is repeated where the archive holds that name too.
    Paths that are the same to the disk at hand (`a.gif` and `A.gif`) get a number: `A.gif` and `a~2.gif`.

    Args:
        rows: all current rows of an archive.
        format_name: a key of `OUTPUTS`.
        same: says by equal answers which names the disk cannot tell apart, see `sameness`.
    """
    chosen = {row.path: row for row in rows}
    names = {path: _with_suffix(row, format_name) for path, row in chosen.items()}
    crowd = Counter(clash_key(name) for name in names.values())
    crowded = sorted(path for path, name in names.items() if name != path and crowd[clash_key(name)] > 1)
    taken = {clash_key(name) for path, name in names.items()} - {clash_key(names[path]) for path in crowded}
    taken |= {clash_key(name) for path, name in names.items() if name == path}
    for path in crowded:
        suffix = OUTPUTS[format_of(chosen[path], format_name)].suffix
        name = f"{path}{suffix}"
        while clash_key(name) in taken:
            name += suffix
        names[path] = name
        taken.add(clash_key(name))
    return _told_apart(names, same)


def format_of(row: Row, format_name: str) -> str:
    """The format that a picture is restored in: PNG where it has an alpha channel and the format asked for has none."""
    return output_for(format_name, alpha=row.mode.endswith("A"))


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
    """`holiday.png.jpg` -> `holiday.png`; `holiday.jpg` -> `holiday.png`."""
    stem = PurePosixPath(name.removesuffix(SUFFIX)).with_suffix("")
    return str(stem.with_suffix(suffix) if stem.suffix else PurePosixPath(f"{stem}{suffix}"))


def _with_suffix(row: Row, format_name: str) -> str:
    if row.stored == "verbatim":
        return row.path
    return str(PurePosixPath(row.path).with_suffix(OUTPUTS[format_of(row, format_name)].suffix))


def _told_apart(names: dict[str, str], same: Sameness) -> dict[str, str]:
    """Number those that the disk would take for one another; the first in the order of paths keeps its name."""
    crowd = Counter(same(name) for name in names.values())
    if all(count == 1 for count in crowd.values()):
        return names
    taken = {clash_key(name) for name in names.values() if crowd[same(name)] == 1}
    answer = {}
    for path in sorted(names):
        name = names[path]
        answer[path] = unique_entry(name, taken) if crowd[same(name)] > 1 else name
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
