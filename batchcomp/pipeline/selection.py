"""Which pictures of an archive a command means."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from batchcomp.archive import ArchiveReader, read_versions, view_at
from batchcomp.archive.rows import Row
from batchcomp.errors import UsageError


def view_of(archive: ArchiveReader, *, version: int | None = None, at: datetime | None = None) -> list[Row]:
    """The rows a command looks at: the current ones, those of a moment, or one version of each picture that has it.

    Raises:
        UsageError: the archive held nothing then, or no picture has that version.
    """
    if at is not None:
        rows = view_at(archive, at)
        if not rows and not archive.damage:
            raise UsageError(
                f"{archive.folder}: held nothing at {at.isoformat()}; `batchcomp list --versions` shows when"
            )
        return rows
    if version is None:
        return list(archive.rows())
    index = version - (version > 0)
    held = [found for found in read_versions(archive).values() if -len(found) <= index < len(found)]
    if not held:
        raise UsageError(
            f"{archive.folder}: no picture has a version {version}; `batchcomp list --versions` shows those there are"
        )
    return [found[index].row for found in held if found[index].row is not None]  # type: ignore[misc]


def chosen_rows(rows: list[Row], patterns: Sequence[str]) -> list[Row]:
    """Rows whose path matches any of the globs; all of them where there is no pattern.

    Raises:
        UsageError: nothing matches.
    """
    if not patterns:
        return rows
    chosen = [row for row in rows if any(matches(row.path, pattern) for pattern in patterns)]
    if not chosen:
        raise UsageError(f"no picture matches {' '.join(patterns)}; `batchcomp list` shows the paths")
    return chosen


def matches(path: str, pattern: str) -> bool:
    """Whether a glob matches the path, its file name, or a folder above it."""
    pure = PurePosixPath(path)
    above = [str(parent) for parent in pure.parents]
    return any(fnmatchcase(name, pattern.rstrip("/")) for name in (path, pure.name, *above))
