"""The story of one `decode` run: archive entries in, pictures out."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from functools import partial
from typing import Any

from batchcomp.archive import ArchiveReader
from batchcomp.archive.rows import Row
from batchcomp.codec.codec import Codec
from batchcomp.errors import PayloadError, PictureError
from batchcomp.images.outputs import left_out
from batchcomp.images.picture import Picture
from batchcomp.images.save import safe_join, save, save_bytes
from batchcomp.pipeline.entries import Entry, read_entry
from batchcomp.pipeline.flow import WINDOW_BYTES, ahead, windows
from batchcomp.pipeline.records import Done, Event, Failed
from batchcomp.pipeline.restoring import Restorer
from batchcomp.pipeline.selection import chosen_rows, view_of
from batchcomp.pipeline.targets import format_of, sameness, target_names
from batchcomp.pipeline.workers import Threads, Workers
from batchcomp.settings import DecodeSettings


def decode_archive(settings: DecodeSettings) -> Generator[Event]:
    """Restore the pictures of an archive, or those whose path matches a pattern, below `settings.out`.

    Yields what became of each picture.

    Raises:
        ArchiveNotFoundError: `settings.source` is no archive.
        UsageError: a pattern matches nothing.
        ModelError: the model file is unusable.
    """
    archive = ArchiveReader.open(settings.source)
    rows = view_of(archive, version=settings.version, at=settings.at)
    # of all rows: a pattern must not change a picture's name
    names = target_names(rows, settings.format, same=sameness(settings.out))
    chosen = chosen_rows(rows, settings.patterns)
    for damage in archive.damage:
        yield Failed(name=damage.segment, reason=str(damage), damage=True)
    codec = Codec.open(settings.model, device=settings.device, batch=settings.batch_size)
    codec.prepare(restores=True)
    with Threads(settings.workers) as workers:
        restorer = Restorer(codec)
        with closing(ahead(_read(archive, chosen, names, settings))) as windows_ahead:
            for window in windows_ahead:
                yield from _restored(window, restorer, settings, workers)


def _read(
    archive: ArchiveReader, rows: list[Row], names: dict[str, str], settings: DecodeSettings
) -> Iterator[list[Entry | Event]]:
    """Read entries, check them and decode their JPEGs, in threads of its own."""
    with Threads(settings.workers) as workers:
        for window in windows(rows, _weight, heaviest=WINDOW_BYTES * settings.workers):
            yield workers.map(lambda row: read_entry(archive, row, names[row.path]), window)


def _restored(
    window: list[Entry | Event], restorer: Restorer, settings: DecodeSettings, workers: Workers
) -> Iterator[Event]:
    """Run RecCNN over a window and write its files; a payload whose model is missing fails alone."""
    ready: list[tuple[Entry, Picture | None]] = []
    for one in window:
        if not isinstance(one, Entry):
            yield one
            continue
        try:
            ready.append((one, restorer.picture(one)))
        except PayloadError as error:
            yield Failed(name=one.row.path, reason=f"{one.row.path}: {error}")
    yield from workers.map(partial(_written, settings=settings), ready)


def _written(entry_and_picture: tuple[Entry, Picture | None], *, settings: DecodeSettings) -> Event:
    """Write one file. Bytes that are given back as they are lack nothing."""
    (entry, picture), row = entry_and_picture, entry_and_picture[0].row
    file_format = format_of(row, settings.format)
    facts: dict[str, Any] = {"overwrite": settings.force, "mtime_ns": row.mtime_ns}
    facts["permissions"] = row.permissions & 0o777
    try:
        path = safe_join(settings.out, entry.target)
        if picture is None:
            save_bytes(entry.data, path, **facts)
        else:
            save(picture, path, format=file_format, **facts)
    except PictureError as error:
        return Failed(name=row.path, reason=str(error))
    return Done(name=entry.target, row=row, left_out=left_out(picture, file_format) if picture else ())


def _weight(row: Row) -> int:
    return max(3 * row.width * row.height, row.payload_bytes)
