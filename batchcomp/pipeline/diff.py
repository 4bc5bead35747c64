"""What differs between an archive and the folder it was made from, or between two moments of an archive."""

from __future__ import annotations

import stat
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from batchcomp.archive import ArchiveReader, Row
from batchcomp.errors import NotAPictureError, PictureError
from batchcomp.images.ignore import IGNORE_NAME
from batchcomp.images.load import check_head
from batchcomp.images.names import shown
from batchcomp.images.walk import Found, Item, NoFile, SkippedLink, WalkFailure, locator, walk
from batchcomp.pipeline.originals import local
from batchcomp.pipeline.plan import digest
from batchcomp.pipeline.records import Failed
from batchcomp.pipeline.selection import rows_of
from batchcomp.places import Place

VERDICTS = SAME, NEW, CHANGED, MISSING, MOVED = "same", "new", "changed", "missing", "moved"


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One picture: same, new (in what comes second only), changed, missing (there), or moved from `was`."""

    path: str
    verdict: str
    was: str | None = None


Finding = Difference | Failed


@dataclass(frozen=True, kw_only=True)
class DiffSettings:
    """One `diff` run: an archive, now or `at` a moment, and the folders that `compress` was given."""

    archive: Place
    paths: tuple[Path, ...]
    at: datetime | None = None
    checksum: bool = False  # tell changed files by content alone
    follow_symlinks: bool = False


def diff_folder(settings: DiffSettings) -> Generator[Finding]:
    """Yield what became of each picture since it was archived; what is unchanged too.

    A file of another time but the same content is the same. Files that are no pictures are left out.

    Raises:
        ArchiveNotFoundError, ArchiveError: see `ArchiveReader.open`.
        UsageError: a path is missing, or the archive held nothing then.
    """
    archive = ArchiveReader.open(settings.archive)
    rows = {row.path: row for row in rows_of(archive, at=settings.at)}
    yield from damage_of(archive)
    locate, found = locator(settings.paths), _walk(settings)
    fresh: list[Item] = []
    unread: list[Path] = []
    for item in found:
        if isinstance(item, WalkFailure):
            unread.append(item.path)
            yield Failed(name=str(item.path), reason=f"{shown(item.path)}: {item.reason}")
        elif isinstance(item, SkippedLink | NoFile):
            continue
        elif row := rows.pop(item.name, None):
            yield _compared(row, item, checksum=settings.checksum)
        else:
            yield from _fresh(item, fresh)
    gone: dict[str, Row] = {}
    for path, row in rows.items():
        place = locate(path)
        if place is not None and any(place.is_relative_to(one) for one in unread):
            continue  # that it could not be read was told
        if reason := _why_not_met(place):
            yield Failed(name=path, reason=reason)
        else:
            gone[path] = row
    yield from _moved_new_missing([(item.name, _content_of(item, gone.values())) for item in fresh], gone)


def diff_moments(folder: Path, first: datetime, second: datetime | None) -> Generator[Finding]:
    """Yield what differs between two moments, and what does not; None is now. Errors: see `diff_folder`."""
    archive = ArchiveReader.open(folder)
    before = {row.path: row for row in rows_of(archive, at=first)}
    after = {row.path: row for row in rows_of(archive, at=second)}
    yield from damage_of(archive)
    for path in before.keys() & after.keys():
        same = before[path].source_sha256 == after[path].source_sha256
        yield Difference(path=path, verdict=SAME if same else CHANGED)
    fresh = [(path, row.source_sha256) for path, row in after.items() if path not in before]
    yield from _moved_new_missing(fresh, {path: row for path, row in before.items() if path not in after})


def damage_of(archive: ArchiveReader) -> Iterator[Failed]:
    """Yield an event for each damage that was met so far."""
    for damage in archive.damage:
        yield Failed(name=damage.segment, reason=damage.told(archive.store), damage=True)


def _walk(settings: DiffSettings) -> Iterator[Found]:
    return walk(settings.paths, skip=local((settings.archive,)), follow_symlinks=settings.follow_symlinks)


def _compared(row: Row, item: Item, *, checksum: bool) -> Finding:
    if row.source_bytes != item.size:
        return Difference(path=row.path, verdict=CHANGED)
    if row.mtime_ns == item.mtime_ns and not checksum:
        return Difference(path=row.path, verdict=SAME)
    found = digest(item.path)
    if found is None:
        return Failed(name=row.path, reason=f"{shown(item.path)}: cannot be read; check the file and its permissions")
    return Difference(path=row.path, verdict=SAME if found.hex() == row.source_sha256 else CHANGED)


def _fresh(item: Item, fresh: list[Item]) -> Iterator[Failed]:
    """Add a file that the archive does not name to `fresh`, if it may be a picture."""
    try:
        check_head(item.path)
        fresh.append(item)
    except NotAPictureError:
        return
    except PictureError as error:
        yield Failed(name=item.name, reason=str(error))


def _content_of(item: Item, gone: Iterable[Row]) -> str:
    """The SHA-256 of a file, "" where it cannot be that of any of the others."""
    found = digest(item.path) if any(row.source_bytes == item.size for row in gone) else None
    return found.hex() if found else ""


def _moved_new_missing(fresh: Sequence[tuple[str, str]], gone: dict[str, Row]) -> Iterator[Difference]:
    by_content: dict[str, list[str]] = {}
    for path, row in gone.items():
        by_content.setdefault(row.source_sha256, []).append(path)
    moved: set[str] = set()
    for path, content in fresh:
        if olds := by_content.get(content):
            moved.add(olds[0])
            yield Difference(path=path, verdict=MOVED, was=olds.pop(0))
        else:
            yield Difference(path=path, verdict=NEW)
    yield from (Difference(path=path, verdict=MISSING) for path in gone if path not in moved)


def _why_not_met(path: Path | None) -> str:
    """Say why a walk did not meet a file that is there, or may be; "" where there is none."""
    try:
        if path is None or stat.S_ISDIR(path.lstat().st_mode):
            return ""
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return ""
    except OSError as error:
        return f"{shown(path)}: cannot be looked at ({error.strerror}); check the permissions of its folder"
    return f"{shown(path)}: is there, but is no file to take (ignored by a {IGNORE_NAME}, or a link: --follow-symlinks)"
