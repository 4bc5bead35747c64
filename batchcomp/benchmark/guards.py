"""The guards: at the same bytes as JPEG, no other metric may pay for a better MS-SSIM.

Our codec goes to the quality nearest below each rate, JPEG to its best quality that fits OUR bytes; then both are
measured on every picture.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from batchcomp.benchmark.curves import Task, load_rgb
from batchcomp.benchmark.quality import ciede2000, ssimulacra2
from batchcomp.benchmark.rivals.base import Rival
from batchcomp.images.picture import Pixels
from batchcomp.metrics.ms_ssim import ms_ssim
from batchcomp.metrics.psnr import psnr
from batchcomp.metrics.rate import bits_per_pixel

GUARD_RATES = (0.35,)  # bpp


@dataclass(frozen=True, kw_only=True)
class FileScores:
    """One decoded file beside its picture."""

    quality: int
    size: int  # bytes
    bpp: float
    ms_ssim: float
    psnr: float  # dB
    ciede2000: float  # mean; less is better
    ssimulacra2: float


@dataclass(frozen=True, kw_only=True)
class Guard:
    """One picture at one rate: our file, and JPEG's in at most as many bytes."""

    picture: str
    rate: float  # bpp asked for
    ours: FileScores
    anchor: FileScores
    fits: bool  # False: even JPEG's coarsest quality takes more bytes than ours, and was compared all the same


@dataclass(frozen=True, kw_only=True)
class GuardSummary:
    """All pictures at one rate: on how many ours is the better, and the means (ours, JPEG's)."""

    rate: float  # bpp asked for
    pictures: int
    bpp: float  # ours, mean
    ms_ssim_wins: int
    psnr_wins: int
    ciede2000_wins: int
    ssimulacra2_wins: int
    ms_ssim: tuple[float, float]
    psnr: tuple[float, float]
    ciede2000: tuple[float, float]
    ssimulacra2: tuple[float, float]


def best_fitting(encode: Callable[[int], bytes], most: float) -> tuple[int, bytes] | None:
    """Return the highest quality of 1 to 100 whose file has at most `most` bytes, and that file; None if none has.

    Bisection: seven files, which supposes that bytes rise with quality.
    """
    low, high, found = 1, 100, None
    while low <= high:
        middle = (low + high) // 2
        data = encode(middle)
        if len(data) <= most:
            found, low = (middle, data), middle + 1
        else:
            high = middle - 1
    return found


def guard_picture(task: Task, rates: Sequence[float], ours: Rival, anchor: Rival) -> list[Guard]:
    """Return the guards of one picture, without the rates that our coarsest quality exceeds."""
    rgb = load_rgb(task.path)
    found = (guard_at(rgb, task.name, rate, ours, anchor) for rate in rates)
    return [guard for guard in found if guard]


def guard_at(rgb: Pixels, name: str, rate: float, ours: Rival, anchor: Rival) -> Guard | None:
    """Compare uint8 (H, W, 3) at `rate` bpp; None if our coarsest quality exceeds it."""
    own = best_fitting(lambda quality: ours.encode(rgb, quality), rate * rgb.shape[0] * rgb.shape[1] / 8)
    if own is None:
        return None
    other = best_fitting(lambda quality: anchor.encode(rgb, quality), len(own[1]))
    return Guard(
        picture=name,
        rate=rate,
        ours=_scores(rgb, ours, *own),
        anchor=_scores(rgb, anchor, *(other or (1, anchor.encode(rgb, 1)))),
        fits=other is not None,
    )


def summarise(guards: Iterable[Guard], rate: float) -> GuardSummary | None:
    """Count and average the guards of one rate; None if there are none."""
    pairs = [(guard.ours, guard.anchor) for guard in guards if guard.rate == rate]
    if not pairs:
        return None
    return GuardSummary(
        rate=rate,
        pictures=len(pairs),
        bpp=float(np.mean([ours.bpp for ours, _ in pairs])),
        ms_ssim_wins=sum(ours.ms_ssim > other.ms_ssim for ours, other in pairs),
        psnr_wins=sum(ours.psnr > other.psnr for ours, other in pairs),
        ciede2000_wins=sum(ours.ciede2000 < other.ciede2000 for ours, other in pairs),
        ssimulacra2_wins=sum(ours.ssimulacra2 > other.ssimulacra2 for ours, other in pairs),
        ms_ssim=_means(pairs, lambda scores: scores.ms_ssim),
        psnr=_means(pairs, lambda scores: scores.psnr),
        ciede2000=_means(pairs, lambda scores: scores.ciede2000),
        ssimulacra2=_means(pairs, lambda scores: scores.ssimulacra2),
    )


def _means(pairs: Sequence[tuple[FileScores, FileScores]], of: Callable[[FileScores], float]) -> tuple[float, float]:
    ours, other = (float(np.mean([of(pair[side]) for pair in pairs])) for side in (0, 1))
    return ours, other


def _scores(rgb: Pixels, rival: Rival, quality: int, data: bytes) -> FileScores:
    decoded = rival.decode(data)
    return FileScores(
        quality=quality,
        size=len(data),
        bpp=bits_per_pixel(len(data), *rgb.shape[:2]),
        ms_ssim=ms_ssim(decoded, rgb),
        psnr=psnr(decoded, rgb),
        ciede2000=ciede2000(rgb, decoded),
        ssimulacra2=ssimulacra2(rgb, decoded),
    )
