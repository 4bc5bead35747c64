"""Speed of each codec in one run on one machine: figures of different runs do not compare."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from batchcomp.benchmark.rivals.base import Rival
from batchcomp.images.picture import Pixels
from batchcomp.metrics.rate import bits_per_pixel

SPEED_RATE = 0.5  # bpp at which codecs are timed: a usual archive


@dataclass(frozen=True, kw_only=True)
class Speed:
    """Megapixels per second of one codec on one picture, medians."""

    rival: str
    quality: float
    bpp: float
    threads: int  # that it may use
    encode_mps: float
    decode_mps: float


def measure_speed(rgb: Pixels, rival: Rival, quality: float, *, threads: int, runs: int = 3) -> Speed:
    """Time encode and decode of uint8 (H, W, 3): the median of `runs` after one to warm up."""
    data = rival.encode(rgb, quality)
    rival.decode(data)
    megapixels = rgb.shape[0] * rgb.shape[1] / 1e6
    return Speed(
        rival=rival.name,
        quality=quality,
        bpp=bits_per_pixel(len(data), *rgb.shape[:2]),
        threads=threads,
        encode_mps=megapixels / _median_seconds(lambda: rival.encode(rgb, quality), runs),
        decode_mps=megapixels / _median_seconds(lambda: rival.decode(data), runs),
    )


def quality_near(rgb: Pixels, rival: Rival, rate: float = SPEED_RATE) -> float:
    """Return the rival's coarsest quality whose file of uint8 (H, W, 3) reaches `rate` bpp, or its finest.

    A bisection over the rival's list of qualities.
    """
    low, high = 0, len(rival.qualities) - 1
    while low < high:
        middle = (low + high) // 2
        reached = bits_per_pixel(len(rival.encode(rgb, rival.qualities[middle])), *rgb.shape[:2]) >= rate
        low, high = (low, middle) if reached else (middle + 1, high)
    return rival.qualities[low]


def measure_speeds(
    rgb: Pixels, rivals: Iterable[Rival], *, threads: int, on_done: Callable[[str], None] | None = None
) -> list[Speed]:
    """Time each rival on one picture, one after the other, each near 0.5 bpp."""
    speeds = []
    for rival in rivals:
        speeds.append(measure_speed(rgb, rival, quality_near(rgb, rival), threads=threads))
        if on_done:
            on_done(rival.name)
    return speeds


def _median_seconds(work: Callable[[], object], runs: int) -> float:
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)
