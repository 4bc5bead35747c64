"""The story of one `compress` run: walk, load, ComCNN, JPEG, measure, archive."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from joblib import Parallel, delayed

from batchcomp.archive import Archive, ArchiveWriter
from batchcomp.archive.rows import Row
from batchcomp.codec import jpeg, payload
from batchcomp.codec.codec import Codec, Compact
from batchcomp.errors import ArchiveNotFoundError, NotAPictureError, PictureError, UnsupportedPictureError
from batchcomp.images.load import Source, decode_picture, estimate_bytes, read_source
from batchcomp.images.names import shown
from batchcomp.images.picture import Picture
from batchcomp.images.walk import Item, WalkFailure, walk
from batchcomp.pipeline.flow import WINDOW_BYTES, ahead, windows
from batchcomp.pipeline.measure import Measurement, measure
from batchcomp.pipeline.records import Done, Event, Failed, Outcome, Passed, Planned
from batchcomp.settings import CompressSettings

OnEvent = Callable[[Event], None]
NO_JPEG = "no JPEG file can hold it"
JPEG_BETTER = "plain JPEG is better at these bytes"
VERBATIM_LARGER = "compressed it would be larger"  # and at which quality; that makes it worth another try


@dataclass(frozen=True, kw_only=True)
class Take:
    """A file to compress, and why."""

    item: Item
    reason: str


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """A file in memory: with its picture, or with the reason why it is stored verbatim."""

    item: Item
    source: Source
    picture: Picture | None
    reason: str
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Packed:
    """A picture ready for the archive."""

    row: Row
    data: bytes


def compress_archive(settings: CompressSettings, *, on_event: OnEvent = lambda _: None) -> Outcome:
    """Compress the pictures below `settings.paths` into `settings.archive`.

    A bad file becomes a `Failed` event and the run goes on; what was stored before an interruption stays stored.

    Raises:
        ArchiveError: the archive cannot be written, is damaged, or is locked by another run.
        ModelError: the model file is unusable.
    """
    outcome = Outcome()

    def tell(event: Event) -> None:
        outcome.add(event)
        on_event(event)

    codec = Codec.open(settings.model, device=settings.device, batch=settings.batch_size)
    with ArchiveWriter(settings.archive) as writer, Parallel(n_jobs=settings.workers, prefer="threads") as pool:
        todo = (step.item if isinstance(step, Take) else step for step in plan(settings, codec.model.sha256))
        run = Run(settings, codec, pool)
        with closing(
            ahead(run.load(windows(todo, _weight, heaviest=WINDOW_BYTES * settings.workers)))
        ) as windows_ahead:
            for window in windows_ahead:
                for result in run.pack(window):
                    tell(_stored(writer, result) if isinstance(result, Packed) else result)
    return outcome


def plan_archive(settings: CompressSettings, *, on_event: OnEvent = lambda _: None) -> Outcome:
    """Say what `compress_archive` would take and why, from names, sizes and times alone."""
    outcome = Outcome()

    def tell(event: Event) -> None:
        outcome.add(event)
        on_event(event)

    codec = Codec.open(settings.model, device="cpu")
    for step in plan(settings, codec.model.sha256):
        tell(Planned(name=step.item.name, reason=step.reason) if isinstance(step, Take) else step)
    return outcome


def plan(settings: CompressSettings, model: str) -> Iterator[Take | Event]:
    """Yield in the walk's order the files to take, and events for those that are unchanged or cannot be walked."""
    known = known_rows(settings.archive)
    for item in walk(settings.paths, include=settings.include, exclude=settings.exclude, skip=(settings.archive,)):
        if isinstance(item, WalkFailure):
            yield Failed(name=str(item.path), reason=f"{shown(item.path)}: {item.reason}")
        elif reason := reason_to_take(item, known.get(item.name), settings, model):
            yield Take(item=item, reason=reason)
        else:
            yield Passed(name=item.name, reason="unchanged since it was archived", unchanged=True)


def known_rows(archive: Path) -> dict[str, Row]:
    """The archive's current rows by path; none where there is no archive yet."""
    try:
        return {row.path: row for row in Archive.open(archive).rows()}
    except ArchiveNotFoundError:
        return {}


def reason_to_take(item: Item, row: Row | None, settings: CompressSettings, model: str) -> str:
    """Why a file should be (re-)compressed; empty where the archive already holds it as asked for."""
    if row is None:
        return "new"
    too_large = row.reason.startswith(VERBATIM_LARGER)  # at another quality it may not be
    stale = {
        "changed": (row.source_bytes, row.mtime_ns) != (item.size, item.mtime_ns),
        "other quality": row.stored != "verbatim" and row.quality != settings.quality,
        "other model": row.model not in {"", model},  # of a fallback: the model that was tried
        "other quality or model": too_large and row.reason != larger_at(settings.quality),
        "not measured yet": settings.measure and row.stored == "compact" and row.ms_ssim is None,
    }
    return next((reason for reason, applies in stale.items() if applies), "")


def larger_at(quality: int) -> str:
    """Why a picture is stored verbatim whose payload would be larger."""
    return f"{VERBATIM_LARGER} at quality {quality}"


def _weight(one: Item | Event) -> int:
    return max(one.size, estimate_bytes(one.path)) if isinstance(one, Item) else 0


def _stored(writer: ArchiveWriter, packed: Packed) -> Event:
    try:
        writer.add(packed.row, packed.data)
    except PictureError as error:
        return Failed(name=packed.row.path, reason=str(error))
    return Done(name=packed.row.path, row=packed.row)


def load_item(item: Item | Event) -> Loaded | Event:
    """Read and decode one file; events pass through, so that everything is told in one order and by one thread."""
    if not isinstance(item, Item):
        return item
    started = time.perf_counter()
    reason, picture = "", None
    try:
        source = read_source(item.path)
        try:
            picture = decode_picture(source.data, str(item.path))
        except UnsupportedPictureError as error:
            reason = error.reason
    except NotAPictureError as error:
        return Passed(name=item.name, reason=str(error))
    except PictureError as error:
        return Failed(name=item.name, reason=str(error))
    return Loaded(item=item, source=source, picture=picture, reason=reason, seconds=time.perf_counter() - started)


class Run:
    """The stages of one run; each maps a window of files."""

    def __init__(self, settings: CompressSettings, codec: Codec, pool: Any) -> None:
        self.settings, self.codec, self.pool = settings, codec, pool

    def load(self, items: Iterable[list[Item | Event]]) -> Iterator[list[Loaded | Event]]:
        """Read and decode windows of files, in workers of its own, so that it can run ahead of the networks."""
        with Parallel(n_jobs=self.settings.workers, prefer="threads") as loaders:
            for window in items:
                yield loaders(delayed(load_item)(item) for item in window)

    def pack(self, window: list[Loaded | Event]) -> Iterator[Packed | Event]:
        """Compress one window; answers come in the window's order."""
        pictures = [(i, one) for i, one in enumerate(window) if isinstance(one, Loaded) and one.picture is not None]
        packed = dict(zip((i for i, _ in pictures), self._compress([one for _, one in pictures]), strict=True))
        for i, one in enumerate(window):
            if i in packed:
                yield packed[i]
            elif isinstance(one, Loaded):
                yield verbatim(one, one.reason)
            else:
                yield one

    def _compress(self, window: list[Loaded]) -> list[Packed]:
        started = time.perf_counter()
        pictures = [one.picture for one in window if one.picture is not None]
        compacts = self.codec.compact(pictures, self.settings.quality)
        payloads = self.pool(delayed(encode_one)(compact) for compact in compacts)
        share = (time.perf_counter() - started) / max(1, len(window))
        packed = [
            self._row_of(one, compact, data, share)
            for one, compact, data in zip(window, compacts, payloads, strict=True)
        ]
        return self._measured(window, packed) if self.settings.measure else packed

    def _row_of(self, one: Loaded, compact: Compact, data: bytes | None, seconds: float) -> Packed:
        """The payload, or the source verbatim where that is not larger."""
        if data is None or len(data) >= one.source.size:
            reason = larger_at(compact.header.quality) if data else NO_JPEG
            return verbatim(one, reason, model=self.codec.model.sha256)
        row = replace(
            base_row(one),
            stored="compact",
            metadata_bytes=payload.metadata_bytes(data),
            model=self.codec.model.sha256,
            scale=compact.header.scale,
            quality=compact.header.quality,
            payload_bytes=len(data),
            seconds=round(one.seconds + seconds, 4),
        )
        return Packed(row=row, data=data)

    def _measured(self, window: list[Loaded], packed: list[Packed]) -> list[Packed]:
        """Restore every payload once and note how it compares."""
        compact = [i for i, one in enumerate(packed) if one.row.stored == "compact"]
        decoded = self.pool(delayed(Codec.decode)(packed[i].data) for i in compact)
        restored = self.codec.reconstruct(decoded)
        measurements = self.pool(
            delayed(measure)(window[i].picture, picture, packed[i].row.payload_bytes - packed[i].row.metadata_bytes)
            for i, picture in zip(compact, restored, strict=True)
        )
        answer = list(packed)
        for i, found in zip(compact, measurements, strict=True):
            answer[i] = better(window[i], packed[i], found)
        return answer


def base_row(one: Loaded) -> Row:
    """What a row says of the source, whatever is done with it."""
    picture = one.picture
    return Row(
        path=one.item.name,
        stored="verbatim",
        source_bytes=one.source.size,
        mtime_ns=one.source.mtime_ns,
        permissions=one.item.permissions,
        source_sha256=one.source.sha256,
        width=picture.width if picture else 0,
        height=picture.height if picture else 0,
        mode=picture.mode if picture else "",
        payload_bytes=one.source.size,
        seconds=round(one.seconds, 4),
    )


def better(one: Loaded, packed: Packed, found: Measurement) -> Packed:
    """The payload, or a plain JPEG of at most its bytes where that is at least as similar to the source.

    Graphics, noise and tiny pictures are like that. So no measured file is worse than JPEG at its bytes.
    """
    row = replace(packed.row, ms_ssim=round(found.ms_ssim, 6), jpeg=found.jpeg)
    rival, budget = found.jpeg, row.payload_bytes - row.metadata_bytes
    if one.picture is None or rival is None or rival.bytes > budget or found.ms_ssim > rival.ms_ssim:
        return Packed(row=row, data=packed.data)
    data = jpeg.encode_plain(one.picture.pixels, rival.quality, one.picture.metadata)
    if len(data) >= one.source.size:
        return verbatim(one, larger_at(row.quality), model=row.model)
    plain = replace(
        row,
        stored="jpeg",
        reason=JPEG_BETTER,
        payload_bytes=len(data),
        metadata_bytes=payload.metadata_bytes(data),
        scale=1,
        ms_ssim=round(rival.ms_ssim, 6),
    )
    return Packed(row=plain, data=data)


def verbatim(one: Loaded, reason: str, *, model: str = "") -> Packed:
    """Store the source's own bytes. `model` is the one that was tried, if any."""
    return Packed(row=replace(base_row(one), reason=reason, model=model), data=one.source.data)


def encode_one(compact: Compact) -> bytes | None:
    """The payload; None where the JPEG library refuses the compact picture (sides beyond its limit)."""
    try:
        return Codec.encode(compact)
    except OSError:
        return None
