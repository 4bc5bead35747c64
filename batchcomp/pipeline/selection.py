"""Which pictures of an archive a command means."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from fnmatch import translate

from batchcomp.archive import ArchiveReader, view_at
from batchcomp.archive.rows import Row
from batchcomp.errors import UsageError
from batchcomp.escapes import real_path, stored_path
from batchcomp.images.names import shown
from batchcomp.index import ArchiveIndex, Condition, conditions


def view_of(index: ArchiveIndex, *, version: int | None = None, at: datetime | None = None) -> Condition:
    """What a command looks at: the current pictures, those of a moment, or one version of each that has it.

    Raises:
        UsageError: the archive held nothing then, or no picture has that version.
    """
    if at is not None:
        index.check_versions()
        then = index.at(at)
        if not index.holds(then) and not index.damage(then):
            raise UsageError(_nothing_at(index.store, at))
        return then
    if version is None:
        return conditions.CURRENT
    numbered = conditions.version_number(version)
    if not index.holds(numbered) and not index.damage(numbered):
        raise UsageError(
            f"{index.store}: no picture has a version {version}; `batchcomp list --versions` shows those there are"
        )
    return numbered


def rows_of(archive: ArchiveReader, *, at: datetime | None = None) -> list[Row]:
    """The current rows of an archive, or those of a moment.

    Raises:
        UsageError: the archive held nothing then.
    """
    if at is None:
        return list(archive.rows())
    rows = view_at(archive, at)
    if not rows and not archive.damage:
        raise UsageError(_nothing_at(archive.store, at))
    return rows


def chosen(index: ArchiveIndex, view: Condition, patterns: Sequence[str]) -> Condition:
    """What of a view has a path that matches any of the patterns; all of it where there is no pattern.

    A pattern that is the path of a picture or folder letter by letter means that alone, and is no glob.

    Raises:
        UsageError: nothing matches.
    """
    if not patterns:
        return view
    literal: list[Condition] = []
    globs: list[str] = []
    for pattern in patterns:
        named = conditions.any_of([conditions.below(name) for name in _stored_names(pattern)])
        if index.holds(named & view):
            literal.append(named)
        else:
            globs.append(pattern)
    found = conditions.any_of(literal)
    if globs:
        found = found | conditions.matching(matcher(globs))
    found = found & view
    if not index.holds(found):
        wanted = " ".join(map(shown, patterns))
        raise UsageError(f"no picture matches {wanted}; `batchcomp list` shows the paths")
    return found


def matches(path: str, pattern: str) -> bool:
    """Whether a glob matches the path, its file name, or a folder above it.

    It also does with its brackets taken for what they are. The path is tried as the archive holds it, as the disk
    does, and as messages show it.
    """
    return matcher([pattern])(path)


def matcher(patterns: Sequence[str]) -> Callable[[str], bool]:
    """Return a function that tells whether one of the globs matches a path, see `matches`."""
    stripped = [pattern.rstrip("/") for pattern in patterns]
    globs = dict.fromkeys([*stripped, *(pattern.replace("[", "[[]") for pattern in stripped)])
    matching = re.compile("|".join(map(translate, globs))).match

    def test(path: str) -> bool:
        return any(
            matching(name)
            for spelling in _spellings(path)
            for name in (spelling, spelling.rpartition("/")[2], *_above(spelling))
        )

    return test


def _nothing_at(where: object, at: datetime) -> str:
    return f"{where}: held nothing at {at.isoformat()}; `batchcomp list --versions` shows when"


def _stored_names(pattern: str) -> list[str]:
    """Return the names in an archive that a pattern stands for if it is no glob."""
    name = pattern.removeprefix("./").rstrip("/")
    found = dict.fromkeys([name, stored_path(name)])
    return [one for one in found if one and not re.search("[\ud800-\udfff]", one)]


def _spellings(path: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys([path, real_path(path), shown(path)]))


def _above(path: str) -> Iterator[str]:
    """Yield the folders above a path, at last `.`, which is above all."""
    while path := path.rpartition("/")[0]:
        yield path
    yield "."
