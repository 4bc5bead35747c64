"""The rivals' speed on one picture, and that of the one which all others are held against."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from batchcomp.benchmark.machine import in_parallel, median_seconds
from batchcomp.benchmark.rivals import PACE, timed_rival
from batchcomp.benchmark.rivals.base import Rival
from batchcomp.benchmark.speed import quality_near
from batchcomp.images.picture import Pixels

_SAMPLE = 1024  # px of a square that tells which quality has the usual rate


@dataclass(frozen=True, kw_only=True)
class RivalSpeed:
    """A rival on the same picture with the same threads, near 0.5 bits per pixel."""

    name: str
    quality: float
    encode_mps: float
    decode_mps: float
    bpp: float = 0.0
    over_pace: float | None = None  # encoding, over AVIF at speed 6 timed beside it


def time_rivals(
    pixels: Pixels, names: Sequence[str], threads: int, runs: int, on_done: Callable[[str], None]
) -> list[RivalSpeed]:
    """Time each, and the pace again beside it: a machine's speed changes from minute to minute."""
    found, quality = [], None
    for name in names:
        one = _encoder(pixels, name, threads, runs)
        if one is None:
            on_done(f"{name}: not installed")
            continue
        pace = one if name == PACE else _encoder(pixels, PACE, threads, 1, quality=quality, one_thread_too=False)
        quality = pace.quality if pace else None
        found.append(replace(one, over_pace=one.encode_mps / pace.encode_mps if pace else None))
        on_done(name)
    return found


def _encoder(  # noqa: PLR0913  # two of them only for the pace
    pixels: Pixels,
    name: str,
    threads: int,
    runs: int,
    *,
    quality: float | None = None,
    one_thread_too: bool = True,
) -> RivalSpeed | None:
    """The better of: one picture with the library's own threads, and a picture a thread. None: not installed."""
    inside, alone = timed_rival(name, threads=threads), timed_rival(name, threads=1)
    if inside is None or alone is None:
        return None
    if quality is None:
        quality = quality_near(pixels, inside)
    data = inside.encode(pixels, quality)
    megapixels = pixels.shape[0] * pixels.shape[1] / 1e6

    def best(work: Callable[[Rival], object]) -> float:  # megapixels a second
        one = median_seconds(lambda: work(inside), runs)
        if not one_thread_too:
            return float(megapixels / one)
        several = median_seconds(in_parallel(lambda: work(alone), threads), runs) / threads
        return float(megapixels / min(one, several))

    return RivalSpeed(
        name=name,
        quality=quality,
        bpp=8 * len(data) / (1e6 * megapixels),
        encode_mps=best(lambda rival: rival.encode(pixels, quality)),
        decode_mps=best(lambda rival: rival.decode(data)),
    )


class Pace:
    """AVIF at speed 6 near the usual rate: its own threads inside a picture, or a picture a thread."""

    def __init__(self, pixels: Pixels, threads: int) -> None:
        self._pixels, self._threads = pixels, threads
        rivals = [timed_rival(PACE, threads=count) for count in (threads, 1)]
        self._inside, self._alone = (rival for rival in rivals if rival)
        self._quality = quality_near(pixels[:_SAMPLE, :_SAMPLE], self._inside)

    def mps(self) -> float:
        """Megapixels a second now."""
        alone = _seconds(in_parallel(lambda: self._alone.encode(self._pixels, self._quality), self._threads))
        inside = _seconds(lambda: self._inside.encode(self._pixels, self._quality))
        return float(self._pixels.shape[0] * self._pixels.shape[1] / 1e6 / min(inside, alone / self._threads))


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
