"""The story of one `unpack` run: archive entries in, files that any viewer opens out."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from datetime import datetime
from pathlib import Path

from batchcomp.archive import ArchiveReader
from batchcomp.archive.names import clash_key, folder_keys, unique_entry
from batchcomp.archive.rows import Row
from batchcomp.codec import pack
from batchcomp.errors import ArchiveError, PayloadError, PictureError
from batchcomp.images.save import safe_join, save_bytes
from batchcomp.index import ArchiveIndex
from batchcomp.pipeline.overwriting import keep_original
from batchcomp.pipeline.records import Done, Event, Failed
from batchcomp.pipeline.selection import chosen, view_of


def unpack_archive(  # noqa: PLR0913  # settings of one run, by keyword
    folder: Path,
    patterns: Sequence[str],
    out: Path,
    *,
    force: bool,
    version: int | None = None,
    at: datetime | None = None,
) -> Generator[Event]:
    """Write each picture's entry below `out`: the JPEG of packed ones, at the entry's name without its last suffix.

    All others are written as they are, as `unzip` does. Pictures that share an entry get a file each, called after
    their own path. Yields what became of each.

    Args:
        folder: The archive's folder.
        patterns: See `chosen`.
        out: The folder to write below.
        force: Overwrite files that are there.
        version: See `view_of`.
        at: See `view_of`.

    Raises:
        ArchiveNotFoundError: there is no archive.
        UsageError: a pattern matches nothing, the archive held nothing then, or constriction is missing.
    """
    with ArchiveIndex.open(folder) as index:
        view = view_of(index, version=version, at=at)
        picked = chosen(index, view, patterns)
        names = _names(list(index.rows(view)))
        for damage in index.damage(view):
            yield Failed(name=damage.segment, reason=damage.told(index.store), damage=True)
        archive = ArchiveReader(index.store, [])
        for row in index.originals(picked):
            yield _unpack(archive, row, names[row.path], out, force=force)


def _names(rows: list[Row]) -> dict[str, str]:
    """Return the name of each path's file, whichever are chosen: entries keep theirs, what would meet gets a number."""
    natural = {row.path: _natural(row) for row in sorted(rows, key=lambda row: row.owner_segment > 0)}
    folders = {key for name in natural.values() for key in folder_keys(name)}
    names: dict[str, str] = {}
    taken: set[str] = set()
    for path, name in natural.items():
        names[path] = unique_entry(name, taken, folders)
        taken.add(clash_key(names[path]))
    return names


def _natural(row: Row) -> str:
    entry = row.natural_entry if row.owner_segment else row.entry
    return entry.removesuffix(pack.SUFFIX) if row.stored == "packed" else entry


def _unpack(archive: ArchiveReader, row: Row, name: str, out: Path, *, force: bool) -> Event:
    try:
        data = archive.read(row)
        if row.stored == "packed":
            data = pack.unpack(data)
        facts = {"mtime_ns": row.mtime_ns, "permissions": row.permissions & 0o777}
        path = safe_join(out, name)
        if force:
            keep_original(path, row)
        save_bytes(data, path, overwrite=force, **facts)
    except (ArchiveError, PayloadError) as error:
        reason = str(error) if row.path in str(error) else f"{row.path}: {error}"
        return Failed(name=row.path, reason=reason, damage=True)
    except PictureError as error:
        return Failed(name=row.path, reason=str(error))
    return Done(name=name, row=row)
