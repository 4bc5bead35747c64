"""An archive held against the originals it was made from."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from batchcomp.archive import ArchiveReader, Row
from batchcomp.errors import UsageError
from batchcomp.images.names import shown
from batchcomp.images.walk import locator, source_folders
from batchcomp.index import ArchiveIndex
from batchcomp.pipeline.plan import digest
from batchcomp.places import Place

VERDICTS = SAME, CHANGED, MISSING, DIFFERENT = "same", "changed", "missing", "different"


@dataclass(frozen=True, kw_only=True)
class Compared:
    """One picture and its original: `verdict` is same, changed since, missing, or different though untouched.

    Different is alarming: size and time are as archived, the content is not. `reason` is one line, "" for same.
    """

    row: Row
    verdict: str
    reason: str = ""


def compare_sources(archive: Place, paths: Sequence[Path], choose: Callable[[Row], bool]) -> Iterator[Compared]:
    """Read the original of each chosen picture again and compare it with what the archive says of it.

    `paths` are those that `compress` was given, so that the names lead to the files.

    Raises:
        ArchiveNotFoundError, ArchiveError: see `ArchiveReader.open`.
        UsageError: a path is missing, or none of the pictures has an original there.
    """
    rows = ArchiveReader.open(archive).rows()
    return _compared([row for row in rows if choose(row)], locator(paths), paths)


def gone_below(archive: Place, paths: Sequence[Path]) -> Callable[[str], bool]:
    """Return a function that tells whether the original of a path is gone for certain.

    An original that cannot be looked at, for whatever reason, is not gone.

    Raises:
        ArchiveNotFoundError, ArchiveError: see `ArchiveReader.open`.
        UsageError: none of the pictures of a path has an original there: more likely the disk is not mounted.
    """
    locate = locator(paths)
    with ArchiveIndex.open(archive) as index:
        names = [one.path for one in index.stored()]
    _refuse_if_none(names, locate, paths)
    for start, folder in source_folders(paths).items():
        _refuse_if_none((name for name in names if name.startswith(start)), locate, [folder])
    return lambda path: _is_gone(locate(path))


def _compared(rows: list[Row], locate: Locate, paths: Sequence[Path]) -> Iterator[Compared]:
    _refuse_if_none((row.path for row in rows), locate, paths)
    for row in rows:
        yield _compare(row, locate(row.path))


def _compare(row: Row, path: Path | None) -> Compared:
    try:
        status = path.stat() if path else None
    except FileNotFoundError:
        status = None
    except OSError as error:
        reason = f"{shown(path)}: cannot be read ({error.strerror}); check the file and its permissions"
        return Compared(row=row, verdict=MISSING, reason=reason)
    if path is None or status is None:
        return Compared(row=row, verdict=MISSING, reason=f"{shown(path or row.path)}: there is no original any more")
    found = digest(path)
    if found is not None and found.hex() == row.source_sha256:
        return Compared(row=row, verdict=SAME)
    if (status.st_size, status.st_mtime_ns) != (row.source_bytes, row.mtime_ns):
        reason = f"{shown(path)}: changed since it was archived; run `batchcomp compress` again"
        return Compared(row=row, verdict=CHANGED, reason=reason)
    reason = f"{shown(path)}: has not the content that was archived, though size and time are the same; check the disk"
    return Compared(row=row, verdict=DIFFERENT, reason=reason)


Locate = Callable[[str], Path | None]


def _refuse_if_none(names: Iterable[str], locate: Locate, paths: Sequence[Path]) -> None:
    archived = list(names)
    if archived and not any(_is_there(locate(name)) for name in archived):
        where = ", ".join(shown(path) for path in paths)
        raise UsageError(
            f"none of the {len(archived)} pictures has its original below {where}; "
            "give the paths that `compress` was given, and see that their disk is mounted"
        )


def _is_there(path: Path | None) -> bool:
    return path is not None and os.path.exists(path)  # noqa: PTH110  # what cannot be looked at is not there


def _is_gone(path: Path | None) -> bool:
    try:
        return path is None or not stat.S_ISREG(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except (OSError, ValueError):
        return False
