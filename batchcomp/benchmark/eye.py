"""Bytes at equal SSIMULACRA2, the metric nearest to people's eyes here, over ranges of its score.

SSIMULACRA2 agrees with people better than MS-SSIM (Kendall's tau on CID22: .72 against .45; Cloudinary, "CID22", 2023).
Its range is wide, and codecs change places along it, so that one BD-rate over everything says little.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from batchcomp.benchmark.compare import by_picture, of_rival
from batchcomp.benchmark.curves import Point

RANGES = ((30.0, 60.0), (60.0, 78.0), (78.0, 90.0))  # low to medium quality, medium to high, high to visually lossless
MIN_SHARE = 1 / 3  # of a range in which two curves must meet
GRID = 100  # scores at which two curves are compared


@dataclass(frozen=True, kw_only=True)
class EyeRate:
    """Mean change of bytes at equal SSIMULACRA2 against another codec in percent; negative is better."""

    rival: str
    anchor: str
    low: float  # of the range of scores
    high: float
    mean_of_pictures: float | None  # over the pictures whose curves meet in a third of the range
    pictures: int  # how many those are


def rate_change(
    anchor: NDArray[np.float64], test: NDArray[np.float64], low: float, high: float, *, min_share: float = MIN_SHARE
) -> float:
    """Change in percent of the rate at equal quality from `low` to `high`.

    Piecewise linear in the logarithm of the rate. Where a curve turns back, its best point so far counts.

    Args:
        anchor: rows of (rate, quality), in any order.
        test: the same of the other codec.
        low: where the range of qualities begins.
        high: where it ends.
        min_share: part of the range in which the two must meet.

    Returns:
        The change, or nan where the curves hardly meet in the range.
    """
    first, last, tables = low, high, []
    for curve in (anchor, test):
        ordered = curve[np.argsort(curve[:, 0])]
        quality = np.maximum.accumulate(ordered[:, 1]) + 1e-9 * np.arange(len(ordered))
        tables.append((quality, np.log(ordered[:, 0])))
        first, last = max(first, quality[0]), min(last, quality[-1])
    if last - first < min_share * (high - low):
        return math.nan
    grid = np.linspace(first, last, GRID)
    before, after = (np.interp(grid, quality, rate) for quality, rate in tables)
    return float(np.expm1((after - before).mean()) * 100)


def compare_by_eye(points: Sequence[Point], rival: str, anchor: str, low: float, high: float) -> EyeRate:
    """Compare a rival with an anchor picture by picture between two scores."""
    anchors = by_picture(of_rival(points, anchor))
    curves = by_picture(of_rival(points, rival))
    changes = [rate_change(_rows(anchors[name]), _rows(own), low, high) for name, own in curves.items()]
    found = [change for change in changes if not math.isnan(change)]
    return EyeRate(
        rival=rival,
        anchor=anchor,
        low=low,
        high=high,
        mean_of_pictures=float(np.mean(found)) if found else None,
        pictures=len(found),
    )


def all_by_eye(points: Sequence[Point], rivals: Sequence[str], anchors: Iterable[str]) -> list[EyeRate]:
    """Every rival against every anchor that was measured, in all ranges."""
    return [
        compare_by_eye(points, rival, anchor, low, high)
        for anchor in anchors
        if anchor in rivals
        for rival in rivals
        if rival != anchor
        for low, high in RANGES
    ]


def _rows(points: Sequence[Point]) -> NDArray[np.float64]:
    return np.array([(point.bpp, point.ssimulacra2) for point in points])
