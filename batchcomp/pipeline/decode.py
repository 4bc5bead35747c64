"""The story of one `decode` run: archive entries in, pictures out."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from batchcomp.archive import ArchiveReader
from batchcomp.archive.rows import Row
from batchcomp.codec.codec import Codec
from batchcomp.codec.weights import known_hashes
from batchcomp.errors import PayloadError, PictureError
from batchcomp.images.names import shown
from batchcomp.images.outputs import left_out
from batchcomp.images.picture import Picture
from batchcomp.images.save import safe_join, save, save_bytes
from batchcomp.index import ArchiveIndex, Condition
from batchcomp.kinds import KINDS
from batchcomp.pipeline.entries import Entry, read_entry, unknown_kind
from batchcomp.pipeline.expected import expect, expected_bytes
from batchcomp.pipeline.flow import WINDOW_BYTES, ahead, ordered, windows
from batchcomp.pipeline.forecast import Forecast
from batchcomp.pipeline.overwriting import keep_original
from batchcomp.pipeline.records import Done, Event, Failed, Planned
from batchcomp.pipeline.restoring import Restorer
from batchcomp.pipeline.selection import chosen, view_of
from batchcomp.pipeline.targets import Named, Names, format_of, sameness
from batchcomp.pipeline.workers import Threads
from batchcomp.settings import DecodeSettings


def decode_archive(
    settings: DecodeSettings, forecast: Forecast | None = None, restore: Restore | None = None
) -> Generator[Event]:
    """Restore the pictures of an archive, or those whose path matches a pattern, below `settings.out`.

    Yields what became of each picture. A `forecast` is told what is to come. `restore` does the work, by default
    `restored`, in this process.

    Raises:
        ArchiveNotFoundError: `settings.source` is no archive.
        UsageError: a pattern matches nothing.
        ModelError: the model file is unusable.
    """
    with _chosen(settings) as (entries, damage):
        if forecast is not None:
            forecast.expect((row.path, row.width * row.height) for row in entries.rows)
        yield expect(entries.rows, settings.format, settings.out)
        yield from damage
        yield from (restore or restored)(entries, settings)


def restored(entries: Entries, settings: DecodeSettings) -> Iterator[Event]:
    """Restore entries in this process.

    Raises:
        ModelError: the model file is unusable.
    """
    codec = Codec.open(settings.model, device=settings.device, batch=settings.batch_size)
    codec.prepare(restores=True)
    yield from restored_by(codec, entries, settings)


def restored_by(codec: Codec, entries: Entries, settings: DecodeSettings) -> Iterator[Event]:
    """Restore entries with a codec that is ready."""
    yield from (_by_picture if codec.device.type == "cpu" else _by_window)(entries, Restorer(codec), settings)


def plan_decode(settings: DecodeSettings) -> Generator[Event]:
    """Yield what `decode_archive` would do with each picture, and how large the result will be; nothing is written.

    Payloads are not read: that one of them is damaged only `verify` and the real run can tell. Errors: see there.
    """
    with _chosen(settings) as (entries, damage):
        yield expect(entries.rows, settings.format, settings.out)
        yield from damage
        known = known_hashes(settings.model)
        for row in entries.rows:
            yield _planned(row, entries.names[row.path], settings, known)


def _planned(row: Row, target: str, settings: DecodeSettings, known: Collection[str]) -> Event:
    try:
        path = safe_join(settings.out, target)
        if settings.force:
            keep_original(path, row)
    except PictureError as error:
        return Failed(name=row.path, reason=str(error))
    if not settings.force and os.path.lexists(path):
        next_step = "choose another folder with -o, or pass --force to overwrite it"
        return Failed(name=row.path, reason=f"{shown(path)}: is there already; {next_step}")
    if row.stored not in KINDS:
        return Failed(name=row.path, reason=unknown_kind(row))
    if KINDS[row.stored].networks and row.model not in known:
        reason = f"{row.path}: needs model {row.model[:16]}, which is not at hand; pass its file with --model FILE"
        return Failed(name=row.path, reason=reason)
    how = "as it was" if not KINDS[row.stored].reader else f"as {format_of(row, settings.format)}"
    reason = how if target == row.path else f"{row.path} {how}"
    return Planned(name=target, reason=reason, bytes=expected_bytes(row, settings.format))


@contextmanager
def _chosen(settings: DecodeSettings) -> Iterator[tuple[Entries, list[Failed]]]:
    """Give what is to be restored, and what is damaged."""
    with ArchiveIndex.open(settings.source) as index:
        view = view_of(index, version=settings.version, at=settings.at)
        rows = _Picked(index, chosen(index, view, settings.patterns))
        damage = [Failed(name=one.segment, reason=one.told(index.store), damage=True) for one in index.damage(view)]
        # as among all pictures of the view: a pattern must not change a picture's name
        names = Names(partial(index.relatives, condition=view), settings.format, sameness(settings.out))
        yield Entries(archive=ArchiveReader(index.store, []), rows=rows, names=names), damage


@dataclass(frozen=True)
class _Picked:
    """Rows that are read anew from the index each time they are gone through."""

    index: ArchiveIndex
    condition: Condition

    def __iter__(self) -> Iterator[Row]:
        return self.index.originals(self.condition)


@dataclass(frozen=True, kw_only=True)
class Entries:
    """What is to be restored: rows of an archive, and the names of their files by path."""

    archive: ArchiveReader
    rows: Iterable[Row]
    names: Named

    def read(self, row: Row) -> Entry | Event:
        """Read one, check it, and decode its JPEG."""
        return read_entry(self.archive, row, self.names[row.path])


Restore = Callable[[Entries, DecodeSettings], Iterator[Event]]


def _by_picture(entries: Entries, restorer: Restorer, settings: DecodeSettings) -> Iterator[Event]:
    """Take each picture from its entry to its file in one thread, several at once: no stage waits for another."""

    def one(row: Row) -> Event:
        found = _pictured(entries.read(row), restorer)
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


def _by_window(entries: Entries, restorer: Restorer, settings: DecodeSettings) -> Iterator[Event]:
    """Restore windows of pictures on a device while the next are read, and write the files of each on all cores."""
    with Threads(settings.workers) as workers, closing(ahead(_read(entries, settings))) as windows_ahead:
        for window in windows_ahead:
            found = [_pictured(one, restorer) for one in window]
            yield from (one for one in found if not isinstance(one, tuple))
            ready = [one for one in found if isinstance(one, tuple)]
            yield from workers.map(partial(_written, settings=settings), ready)


def _read(entries: Entries, settings: DecodeSettings) -> Iterator[list[Entry | Event]]:
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
        if settings.force:
            keep_original(path, row)
        if picture is None:
            save_bytes(entry.data, path, **facts)
        else:
            save(picture, path, format=file_format, **facts)
    except PictureError as error:
        return Failed(name=row.path, reason=str(error))
    return Done(name=entry.target, row=row, left_out=left_out(picture, file_format) if picture else ())


def _weight(row: Row) -> int:
    return max(3 * row.width * row.height, row.payload_bytes)
