"""The story of one `unpack` run: archive entries in, files that any viewer opens out."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from pathlib import Path

from batchcomp.archive import ArchiveReader
from batchcomp.archive.names import clash_key, unique_entry
from batchcomp.archive.rows import Row
from batchcomp.codec import pack
from batchcomp.errors import ArchiveError, PayloadError, PictureError
from batchcomp.images.save import safe_join, save_bytes
from batchcomp.pipeline.records import Done, Event, Failed
from batchcomp.pipeline.selection import chosen_rows


def unpack_archive(folder: Path, patterns: Sequence[str], out: Path, *, force: bool) -> Generator[Event]:
    """Write each picture's entry below `out`: the JPEG of packed ones, at the entry's name without its last suffix.

    All others are written as they are, as `unzip` does. Pictures that share an entry get a file each, called after
    their own path. Yields what became of each.

    Raises:
        ArchiveNotFoundError: there is no archive.
        UsageError: a pattern matches nothing, or constriction is missing.
    """
    archive = ArchiveReader.open(folder)
    rows = list(archive.rows())
    names = _names(rows)
    rows = chosen_rows(rows, patterns)
    for damage in archive.damage:
        yield Failed(name=damage.segment, reason=str(damage), damage=True)
    for row in rows:
        yield _unpack(archive, row, names[row.path], out, force=force)


def _names(rows: list[Row]) -> dict[str, str]:
    """Return the name of each path's file, whichever are chosen: entries keep theirs, what would meet gets a number."""
    names: dict[str, str] = {}
    taken: set[str] = set()
    for row in sorted(rows, key=lambda row: row.owner_segment > 0):
        natural = row.natural_entry if row.owner_segment else row.entry
        if row.stored == "packed":
            natural = natural.removesuffix(pack.SUFFIX)
        names[row.path] = unique_entry(natural, taken)
        taken.add(clash_key(names[row.path]))
    return names


def _unpack(archive: ArchiveReader, row: Row, name: str, out: Path, *, force: bool) -> Event:
    try:
        data = archive.read(row)
        if row.stored == "packed":
            data = pack.unpack(data)
        facts = {"mtime_ns": row.mtime_ns, "permissions": row.permissions & 0o777}
        save_bytes(data, safe_join(out, name), overwrite=force, **facts)
    except (ArchiveError, PayloadError) as error:
        reason = str(error) if row.path in str(error) else f"{row.path}: {error}"
        return Failed(name=row.path, reason=reason, damage=True)
    except PictureError as error:
        return Failed(name=row.path, reason=str(error))
    return Done(name=name, row=row)
