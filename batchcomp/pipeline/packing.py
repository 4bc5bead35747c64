"""The middle stages: pictures through ComCNN and JPEG, measured, and the best way to store each chosen."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from joblib import Parallel, delayed

from batchcomp.archive.rows import Row
from batchcomp.codec import jpeg, payload
from batchcomp.codec.codec import Codec, Compact
from batchcomp.images.walk import Item
from batchcomp.pipeline.loading import Loaded, load_item
from batchcomp.pipeline.measure import Measurement, measure
from batchcomp.pipeline.plan import larger_at
from batchcomp.pipeline.records import Event
from batchcomp.settings import CompressSettings

NO_JPEG = "no JPEG file can hold it"
JPEG_BETTER = "plain JPEG is better at these bytes"


@dataclass(frozen=True, kw_only=True)
class Packed:
    """A picture ready for the archive."""

    row: Row
    data: bytes


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
