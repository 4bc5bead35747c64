"""Which pictures of an archive a command means."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from batchcomp.archive.rows import Row
from batchcomp.errors import UsageError


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
