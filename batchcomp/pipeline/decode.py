"""The story of one `decode` run: archive entries in, pictures out."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import Any

from batchcomp.archive import ArchiveReader
from batchcomp.archive.rows import Row
from batchcomp.codec.codec import Codec
from batchcomp.errors import PayloadError, PictureError
from batchcomp.images.outputs import left_out
from batchcomp.images.picture import Picture
from batchcomp.images.save import safe_join, save, save_bytes
from batchcomp.index import ArchiveIndex
from batchcomp.pipeline.entries import Entry, read_entry
from batchcomp.pipeline.flow import WINDOW_BYTES, ahead, ordered, windows
from batchcomp.pipeline.forecast import Forecast
from batchcomp.pipeline.records import Done, Event, Failed
from batchcomp.pipeline.restoring import Restorer
from batchcomp.pipeline.selection import chosen, view_of
from batchcomp.pipeline.targets import format_of, named, sameness
from batchcomp.pipeline.workers import Threads
from batchcomp.settings import DecodeSettings


def decode_archive(settings: DecodeSettings, forecast: Forecast | None = None) -> Generator[Event]:
    """Restore the pictures of an archive, or those whose path matches a pattern, below `settings.out`.

    Yields what became of each picture. A `forecast` is told what is to come.

    Raises:
        ArchiveNotFoundError: `settings.source` is no archive.
        UsageError: a pattern matches nothing.
        ModelError: the model file is unusable.
    """
    with ArchiveIndex.open(settings.source) as index:
        view = view_of(index, version=settings.version, at=settings.at)
        picked = chosen(index, view, settings.patterns)
        if forecast is not None:
            forecast.expect((row.path, row.width * row.height) for row in index.rows(picked))
        for damage in index.damage(view):
            yield Failed(name=damage.segment, reason=str(damage), damage=True)
        codec = Codec.open(settings.model, device=settings.device, batch=settings.batch_size)
        codec.prepare(restores=True)
        rows = named(
            index.rows(picked), lambda paths: index.relatives(paths, view), settings.format, sameness(settings.out)
        )
        entries = _Entries(archive=ArchiveReader(index.store, []), rows=rows)
        yield from (_by_picture if codec.device.type == "cpu" else _by_window)(entries, Restorer(codec), settings)


_Named = tuple[Row, str]  # a row, and the name of its file


@dataclass(frozen=True, kw_only=True)
class _Entries:
    """What is to be restored: rows of an archive, and the names of their files."""

    archive: ArchiveReader
    rows: Iterator[_Named]

    def read(self, one: _Named) -> Entry | Event:
        """Read one, check it, and decode its JPEG."""
        row, name = one
        return read_entry(self.archive, row, name)


def _by_picture(entries: _Entries, restorer: Restorer, settings: DecodeSettings) -> Iterator[Event]:
    """Take each picture from its entry to its file in one thread, several at once: no stage waits for another."""

    def one(named: _Named) -> Event:
        found = _pictured(entries.read(named), restorer)
        return _written(found, settings=settings) if isinstance(found, tuple) else found

    heaviest = WINDOW_BYTES * settings.workers
    with closing(ordered(entries.rows, one, _weight, threads=settings.workers + 1, heaviest=heaviest)) as done:
        yield from done


def _pictured(one: Entry | Event, restorer: Restorer) -> tuple[Entry, Picture | None] | Event:
    """Run RecCNN over an entry; a payload whose model is missing fails alone."""
    if not isinstance(one, Entry):
        return one
    try:
        return one, restorer.picture(one)
    except PayloadError as error:
        return Failed(name=one.row.path, reason=f"{one.row.path}: {error}")


def _by_window(entries: _Entries, restorer: Restorer, settings: DecodeSettings) -> Iterator[Event]:
    """Restore windows of pictures on a device while the next are read, and write the files of each on all cores."""
    with Threads(settings.workers) as workers, closing(ahead(_read(entries, settings))) as windows_ahead:
        for window in windows_ahead:
            found = [_pictured(one, restorer) for one in window]
            yield from (one for one in found if not isinstance(one, tuple))
            ready = [one for one in found if isinstance(one, tuple)]
            yield from workers.map(partial(_written, settings=settings), ready)


def _read(entries: _Entries, settings: DecodeSettings) -> Iterator[list[Entry | Event]]:
    """Read windows of entries, in threads of its own."""
    with Threads(settings.workers) as workers:
        for window in windows(entries.rows, _weight, heaviest=WINDOW_BYTES * settings.workers):
            yield workers.map(entries.read, window)


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


def _weight(one: _Named) -> int:
    row, _ = one
    return max(3 * row.width * row.height, row.payload_bytes)
