"""The promise: no measured file is worse than JPEG at its bytes, none is larger than its source.

Where the networks do not serve a picture (graphics, screenshots, noise, tiny pictures, targets beyond them), something
else is stored: the source, a lossless file, or a plain JPEG, each only where it is better at no more bytes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from batchcomp.archive.rows import JpegComparison, Row
from batchcomp.codec import jpeg, plain_jpeg
from batchcomp.codec.inner.lossless import is_graphic, lossless
from batchcomp.codec.payload import metadata_bytes
from batchcomp.images.jpeg_segments import MAX_SIDE
from batchcomp.images.picture import Picture
from batchcomp.metrics.ms_ssim import ms_ssim, ms_ssim_db
from batchcomp.metrics.ssimulacra2 import ssimulacra2
from batchcomp.pipeline.job import Candidate, Job, Loaded, Measurement
from batchcomp.pipeline.proof import with_pixels
from batchcomp.pipeline.recipe import larger_with
from batchcomp.settings import CompressSettings, Target

JPEG_BETTER = "plain JPEG is better at these bytes"
LOSSLESS_SMALLER = "a lossless file takes no more bytes"
OUT_OF_REACH = "is out of reach"
TO_REACH = "to reach"
BY_MS_SSIM = {"match-jpeg", "target-ms-ssim"}  # targets that ask for an MS-SSIM in the fewest bytes
CLOSE_DB = 0.4  # a payload's MS-SSIM above that: no plain JPEG of so much less is likely to be smaller


def base_row(one: Loaded) -> Row:
    """What a row says of the source, whatever is done with it."""
    return Row(
        path=one.item.name,
        stored="verbatim",
        source_bytes=one.source.size,
        mtime_ns=one.source.mtime_ns,
        permissions=one.item.permissions,
        source_sha256=one.source.sha256,
        width=one.width,
        height=one.height,
        mode=one.mode,
        payload_bytes=one.source.size,
        seconds=round(one.seconds, 4),
    )


def verbatim(one: Loaded, reason: str, *, model: str = "") -> Candidate:
    """Store the source's own bytes. `model` is the one that was tried, if any."""
    return Candidate(row=replace(base_row(one), reason=reason, model=model), data=one.source.data)


class Alternatives:
    """What else can hold one picture."""

    def __init__(self, job: Job, settings: CompressSettings) -> None:
        self.job, self.one, self.settings = job, job.loaded, settings

    @property
    def picture(self) -> Picture:
        return self.job.picture

    def best(self, payload: Candidate) -> Candidate:
        """What the networks made of the picture, or what serves better."""
        found, missed = self.job.measurement, self.job.payload.missed
        target = self.settings.target
        if target is not None and missed:
            return self._reaching(payload, f"{target} {OUT_OF_REACH}: {missed}")
        if self.one.source.size <= len(payload.data):
            return self._source(payload)
        if found is None:
            return payload
        if same := self._lossless(payload, len(payload.data), LOSSLESS_SMALLER):
            return same
        better = beats(found, found.jpeg, len(payload.data) - payload.row.metadata_bytes)
        if wanted := self.job.payload.wanted:
            close = better and ms_ssim_db(found.ms_ssim) < ms_ssim_db(wanted) + CLOSE_DB
            return payload if close else self._smaller(payload, wanted)
        return payload if better else self._jpeg_instead(payload)

    def _smaller(self, payload: Candidate, wanted: float) -> Candidate:
        """The smallest plain JPEG that reaches an MS-SSIM, where the payload takes more bytes for as much or more."""
        plain = self._plain_of(payload, wanted, JPEG_BETTER)
        return plain if plain and len(plain.data) < min(len(payload.data) + 1, self.one.source.size) else payload

    def _jpeg_instead(self, payload: Candidate) -> Candidate:
        """The best plain JPEG of the payload's bytes, where it still reaches the target."""
        most, target = len(payload.data), self.settings.target
        if target is not None and target.kind == "match-jpeg-bytes":  # where that JPEG itself is to be met
            most = max(most, limit_bytes(target, self.picture) + payload.row.metadata_bytes)
        plain = self._plain(payload, min(most, self.one.source.size - 1), JPEG_BETTER)
        return plain if plain and self._still_reaches(plain) else payload

    def _still_reaches(self, plain: Candidate) -> bool:
        """Whether a JPEG that is better by MS-SSIM has the SSIMULACRA2 asked for, if any is."""
        target = self.settings.target
        if target is None or target.kind != "target-ssimulacra2":
            return True
        return ssimulacra2(jpeg.decode(plain.data)[0], self.picture.pixels) >= target.value

    def _source(self, payload: Candidate) -> Candidate:
        return verbatim(self.one, larger_with(self.settings), model=payload.row.model)

    def _reaching(self, payload: Candidate, reason: str) -> Candidate:
        """The smallest that reaches a target which the networks miss; the payload, saying so, where nothing does."""
        reached = sorted(self._that_reach(payload), key=lambda candidate: len(candidate.data))
        if reached:
            return reached[0]
        fits = len(payload.data) < self.one.source.size
        best = payload if fits else self._source(payload)
        return replace(best, row=replace(best.row, reason=reason))

    def _that_reach(self, payload: Candidate) -> Iterator[Candidate]:
        target = self.settings.target
        if target is None:
            return
        size, why = self.one.source.size, f"{TO_REACH} {target}"
        if target.kind in BY_MS_SSIM:
            yield verbatim(self.one, larger_with(self.settings), model=payload.row.model)
            limit, plain = size - 1, self._plain_of(payload, self.job.payload.wanted, why)
        elif target.kind == "target-ssimulacra2":
            yield verbatim(self.one, larger_with(self.settings), model=payload.row.model)
            limit, plain = size - 1, None
        else:
            limit = limit_bytes(target, self.picture)
            limit += payload.row.metadata_bytes if target.kind == "match-jpeg-bytes" else 0
            if size <= limit:
                yield self._source(payload)
            plain = self._plain(payload, min(limit, size - 1), why)
        yield from (candidate for candidate in (plain, self._lossless(payload, limit, why)) if candidate)

    def _lossless(self, payload: Candidate, most: int, reason: str) -> Candidate | None:
        """A lossless file of at most `most` bytes, for pictures that look as if there could be one."""
        most = min(most, self.one.source.size - 1)
        if not is_graphic(self.picture.pixels) or not (found := lossless(self.picture, most)):
            return None
        kind, data = found
        row = replace(payload.row, stored=kind, scale=1, ms_ssim=1.0, unpacked_bytes=0)
        row = replace(row, metadata_bytes=min(len(data), self.picture.metadata.size))
        row = replace(row, reason=reason, payload_bytes=len(data))
        row = replace(row, ssimulacra2=None if row.ssimulacra2 is None else 100.0)
        return Candidate(row=with_pixels(row, self.picture.pixels), data=data)

    def _plain(self, payload: Candidate, most: int, reason: str) -> Candidate | None:
        """The best plain JPEG of at most `most` bytes."""
        if max(self.picture.width, self.picture.height) > MAX_SIDE:
            return None
        start = payload.row.jpeg.quality if payload.row.jpeg else 10
        plain = plain_jpeg.best_of_bytes(self.picture, most, start)
        return self._as_jpeg(payload, plain.data, reason) if plain else None

    def _plain_of(self, payload: Candidate, similarity: float, reason: str) -> Candidate | None:
        """The smallest plain JPEG that reaches an MS-SSIM."""
        if max(self.picture.width, self.picture.height) > MAX_SIDE:
            return None
        plain = plain_jpeg.smallest_reaching(self.picture, similarity)
        return self._as_jpeg(payload, plain.data, reason) if plain else None

    def _as_jpeg(self, payload: Candidate, data: bytes, reason: str) -> Candidate:
        pixels = jpeg.decode(data)[0]
        similarity = ms_ssim(self.picture.pixels, pixels)
        row = replace(
            payload.row,
            stored="jpeg",
            reason=reason,
            payload_bytes=len(data),
            metadata_bytes=metadata_bytes(data),
            unpacked_bytes=0,
            scale=1,
            ms_ssim=round(similarity, 6),
            ssimulacra2=None if payload.row.ssimulacra2 is None else round(ssimulacra2(pixels, self.picture.pixels), 3),
        )
        return Candidate(row=with_pixels(row, pixels), data=data)


def beats(found: Measurement, rival: JpegComparison | None, budget: int) -> bool:
    """Whether a payload of `budget` bytes is better than JPEG: there is none so small, or it is less similar."""
    return rival is None or rival.bytes > budget or found.ms_ssim > rival.ms_ssim


def wanted_similarity(target: Target, picture: Picture) -> float:
    """The MS-SSIM that a target asks for: itself, or that of a JPEG of this picture; 0 where it asks for none.

    Of a picture too large for a JPEG the part counts that fits one.
    """
    if target.kind not in BY_MS_SSIM:
        return 0.0
    if target.kind != "match-jpeg":
        return target.value
    return plain_jpeg.JpegCurve(picture.pixels[:MAX_SIDE, :MAX_SIDE]).ms_ssim(int(target.value))


def limit_bytes(target: Target, picture: Picture) -> int:
    """Bytes that a payload may have; for `match-jpeg-bytes` without its metadata, which that JPEG lacks too."""
    if target.kind == "max-bytes":
        return int(target.value)
    if target.kind == "max-bpp":
        return math.floor(target.value * picture.width * picture.height / 8)
    if max(picture.width, picture.height) > MAX_SIDE:
        return 2**62  # there is no such JPEG
    return plain_jpeg.JpegCurve(picture.pixels).size(int(target.value))
