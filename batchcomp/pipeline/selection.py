"""Which pictures of an archive a command means."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import PurePosixPath

from batchcomp.archive import ArchiveReader, read_versions, view_at
from batchcomp.archive.rows import Row
from batchcomp.errors import UsageError
from batchcomp.escapes import real_path
from batchcomp.images.names import shown


def view_of(archive: ArchiveReader, *, version: int | None = None, at: datetime | None = None) -> list[Row]:
    """The rows a command looks at: the current ones, those of a moment, or one version of each picture that has it.

    Raises:
        UsageError: the archive held nothing then, or no picture has that version.
    """
    if at is not None:
        rows = view_at(archive, at)
        if not rows and not archive.damage:
            raise UsageError(
                f"{archive.store}: held nothing at {at.isoformat()}; `batchcomp list --versions` shows when"
            )
        return rows
    if version is None:
        return list(archive.rows())
    index = version - (version > 0)
    held = [found for found in read_versions(archive).values() if -len(found) <= index < len(found)]
    if not held:
        raise UsageError(
            f"{archive.store}: no picture has a version {version}; `batchcomp list --versions` shows those there are"
        )
    return [found[index].row for found in held if found[index].row is not None]  # type: ignore[misc]


def chosen_rows(rows: list[Row], patterns: Sequence[str]) -> list[Row]:
    """Rows whose path matches any of the patterns; all of them where there is no pattern.

    A pattern that is the path of a picture or folder letter by letter means that alone, and is no glob.

    Raises:
        UsageError: nothing matches.
    """
    if not patterns:
        return rows
    tests = [_test(rows, pattern) for pattern in patterns]
    chosen = [row for row in rows if any(test(row.path) for test in tests)]
    if not chosen:
        wanted = " ".join(map(shown, patterns))
        raise UsageError(f"no picture matches {wanted}; `batchcomp list` shows the paths")
    return chosen


def matches(path: str, pattern: str) -> bool:
    """Whether a glob matches the path, its file name, or a folder above it.

    It also does with its brackets taken for what they are. The path is tried as the archive holds it, as the disk
    does, and as messages show it.
    """
    globs = {pattern.rstrip("/"), pattern.rstrip("/").replace("[", "[[]")}
    return any(
        fnmatchcase(name, glob)
        for spelling in _spellings(path)
        for name in (spelling, spelling.rpartition("/")[2], *_above(spelling))
        for glob in globs
    )


def _test(rows: list[Row], pattern: str) -> Callable[[str], bool]:
    literal = pattern.removeprefix("./").rstrip("/")

    def is_literal(path: str) -> bool:
        return any(literal == name for spelling in _spellings(path) for name in (spelling, *_above(spelling)))

    if any(is_literal(row.path) for row in rows):
        return is_literal
    return lambda path: matches(path, pattern)


@lru_cache(maxsize=4)
def _spellings(path: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys([path, real_path(path), shown(path)]))


def _above(path: str) -> list[str]:
    return [str(folder) for folder in PurePosixPath(path).parents]
