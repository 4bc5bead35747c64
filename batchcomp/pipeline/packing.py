"""The middle stages: pictures through ComCNN and the inner codec, measured, and the best way to store each chosen."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from joblib import Parallel, delayed

from batchcomp.archive.rows import Row
from batchcomp.codec.codec import Codec
from batchcomp.images.picture import Picture
from batchcomp.images.walk import Item
from batchcomp.pipeline.alternatives import Alternatives, Candidate, base_row, verbatim
from batchcomp.pipeline.encoding import Encoded, encode_one
from batchcomp.pipeline.loading import Loaded, Loader
from batchcomp.pipeline.measure import Measurement, measure
from batchcomp.pipeline.rate_control import RateControl
from batchcomp.pipeline.records import Event
from batchcomp.settings import CompressSettings

NO_FILE = "no file of the inner codec can hold it"


class Run:
    """The stages of one run; each maps a window of files."""

    def __init__(self, settings: CompressSettings, codec: Codec, pool: Any) -> None:
        self.settings, self.codec, self.pool = settings, codec, pool

    def load(self, items: Iterable[list[Item | Event]]) -> Iterator[list[Loaded | Event]]:
        """Read and decode windows of files, in workers of its own, so that it can run ahead of the networks."""
        with Loader(self.settings) as loader, Parallel(n_jobs=self.settings.workers, prefer="threads") as loaders:
            for window in items:
                files = [item for item in window if isinstance(item, Item)]
                loaded = iter(loaders(delayed(loader.load)(item) for item in files) if files else ())
                yield [next(loaded) if isinstance(item, Item) else item for item in window]

    def pack(self, window: list[Loaded | Event]) -> Iterator[Candidate | Event]:
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

    def _compress(self, window: list[Loaded]) -> list[Candidate]:
        started = time.perf_counter()
        encoded = self._encoded(window)
        pictures = [one.picture for one in window if one.picture is not None]
        measured: list[Measurement | None] = [None] * len(window)
        if self.settings.measure:
            measured = self._measured(pictures, encoded)
        share = (time.perf_counter() - started) / max(1, len(window))
        calls = zip(window, pictures, encoded, measured, strict=True)
        chosen: list[Candidate] = self.pool(
            delayed(self._chosen)(one, picture, made, found, share) for one, picture, made, found in calls
        )
        return chosen

    def _encoded(self, window: list[Loaded]) -> list[Encoded | None]:
        pictures = [one.picture for one in window if one.picture is not None]
        if self.settings.target is not None:
            return RateControl(self.settings, self.settings.target, self.codec, self.pool).seek(pictures)
        compacts = self.codec.compact(pictures, self.settings.quality, self.settings.codec, self.settings.effort)
        if not self.settings.measure:  # a payload is compared with nothing but the source's size
            del pictures
            for one in window:
                one.let_pixels_go()
        made: list[Encoded | None] = self.pool(delayed(encode_one)(compact, self.settings) for compact in compacts)
        return made

    def _measured(self, pictures: list[Picture], encoded: list[Encoded | None]) -> list[Measurement | None]:
        """Restore every payload once and note how it compares."""
        there = [(i, made) for i, made in enumerate(encoded) if made is not None]
        restored = self.codec.reconstruct(self.pool(delayed(Codec.decode)(made.plain) for _, made in there))
        found = self.pool(
            delayed(measure)(pictures[i], picture, made.image_bytes)
            for (i, made), picture in zip(there, restored, strict=True)
        )
        by_number = dict(zip((i for i, _ in there), found, strict=True))
        return [by_number.get(i) for i in range(len(pictures))]

    def _chosen(
        self, one: Loaded, picture: Picture, made: Encoded | None, found: Measurement | None, seconds: float
    ) -> Candidate:
        """The best way to store a picture."""
        started, model = time.perf_counter(), self.codec.model.sha256
        best = verbatim(one, NO_FILE, model=model)
        if made is not None:
            payload = Candidate(row=self._row_of(one, made, found), data=made.data)
            best = Alternatives(one, picture, self.settings).best(payload, found, made.missed)
        spent = one.seconds + seconds + time.perf_counter() - started
        return replace(best, row=replace(best.row, seconds=round(spent, 4)))

    def _row_of(self, one: Loaded, made: Encoded, found: Measurement | None) -> Row:
        return replace(
            base_row(one),
            stored=made.kind,
            metadata_bytes=made.metadata_bytes,
            model=self.codec.hash_of(made.header),
            scale=made.header.scale,
            quality=made.quality,
            payload_bytes=len(made.data),
            unpacked_bytes=len(made.plain) if made.kind == "packed" else 0,
            recipe=self.settings.recipe,
            ms_ssim=round(found.ms_ssim, 6) if found else None,
            jpeg=found.jpeg if found else None,
        )
