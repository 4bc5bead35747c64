"""The story of one `unpack` run: entries or lone packed payloads in, files that any viewer opens out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import chain
from pathlib import Path

from batchcomp.archive import Archive
from batchcomp.archive.rows import Row
from batchcomp.codec import pack
from batchcomp.errors import ArchiveError, PayloadError, PictureError
from batchcomp.images.load import read_source
from batchcomp.images.save import safe_join, save_bytes
from batchcomp.pipeline.decode import chosen_rows
from batchcomp.pipeline.records import Done, Event, Failed, Outcome

OnEvent = Callable[[Event], None]


def unpack_archive(
    folder: Path, patterns: tuple[str, ...], out: Path, *, force: bool, on_event: OnEvent = lambda _: None
) -> Outcome:
    """Write each entry below `out`: the JPEG of packed ones, at the entry's name without its last suffix.

    All others are written as they are, as `unzip` does.

    Raises:
        ArchiveNotFoundError: there is no archive.
        UsageError: a pattern matches nothing, or the `[pack]` extra is missing.
    """
    outcome, archive = Outcome(), Archive.open(folder)
    rows = chosen_rows(list(archive.rows()), patterns)
    damage = (Failed(name=d.segment, reason=str(d), damage=True) for d in archive.damage)
    for event in chain(damage, (_entry(archive, row, out, force=force) for row in rows)):
        outcome.add(event)
        on_event(event)
    return outcome


def _entry(archive: Archive, row: Row, out: Path, *, force: bool) -> Event:
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


def unpack_files(files: Iterable[Path], out: Path, *, force: bool, on_event: OnEvent = lambda _: None) -> Outcome:
    """Write the JPEG of each packed payload file below `out`: `a.png.jpg.bcp` becomes `a.png.jpg`.

    Raises:
        UsageError: the `[pack]` extra is missing.
    """
    outcome = Outcome()
    for file in files:
        event = _file(file, out, force=force)
        outcome.add(event)
        on_event(event)
    return outcome


def _file(file: Path, out: Path, *, force: bool) -> Event:
    name = file.name.removesuffix(pack.SUFFIX) if file.name.endswith(pack.SUFFIX) else f"{file.name}.jpg"
    try:
        source = read_source(file)
        if not pack.is_packed(source.data):
            return Failed(name=str(file), reason=f"{file}: not a packed payload; there is nothing to unpack")
        save_bytes(pack.unpack(source.data), safe_join(out, name), overwrite=force, mtime_ns=source.mtime_ns)
    except PayloadError as error:
        return Failed(name=str(file), reason=f"{file}: {error}")
    except PictureError as error:
        return Failed(name=str(file), reason=str(error))
    return Done(name=name)
