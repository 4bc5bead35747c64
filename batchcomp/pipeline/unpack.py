"""The story of one `unpack` run: archive entries in, files that any viewer opens out."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from pathlib import Path

from batchcomp.archive import ArchiveReader
from batchcomp.archive.rows import Row
from batchcomp.codec import pack
from batchcomp.errors import ArchiveError, PayloadError, PictureError
from batchcomp.images.save import safe_join, save_bytes
from batchcomp.pipeline.records import Done, Event, Failed
from batchcomp.pipeline.selection import chosen_rows


def unpack_archive(folder: Path, patterns: Sequence[str], out: Path, *, force: bool) -> Generator[Event]:
    """Write each entry below `out`: the JPEG of packed ones, at the entry's name without its last suffix.

    All others are written as they are, as `unzip` does. Yields what became of each.

    Raises:
        ArchiveNotFoundError: there is no archive.
        UsageError: a pattern matches nothing, or the `[pack]` extra is missing.
    """
    archive = ArchiveReader.open(folder)
    rows = chosen_rows(list(archive.rows()), patterns)
    for damage in archive.damage:
        yield Failed(name=damage.segment, reason=str(damage), damage=True)
    for row in rows:
        yield _unpack(archive, row, out, force=force)


def _unpack(archive: ArchiveReader, row: Row, out: Path, *, force: bool) -> Event:
    try:
        data, name = archive.read(row), row.entry
        if row.stored == "packed":
            data, name = pack.unpack(data), name.removesuffix(pack.SUFFIX)
        save_bytes(data, safe_join(out, name), overwrite=force, mtime_ns=row.mtime_ns)
    except (ArchiveError, PayloadError) as error:
        reason = str(error) if row.path in str(error) else f"{row.path}: {error}"
        return Failed(name=row.path, reason=reason, damage=True)
    except PictureError as error:
        return Failed(name=row.path, reason=str(error))
    return Done(name=name, row=row)
