"""Quantisation tables, and the scale from the user's quality 1..100 to their coarseness."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

COARSEST, FINEST = 9.0, 0.25  # at quality 1 and at quality 100
LOG2_COARSEST, LOG2_FINEST = 3.169925001442312, -2.0  # written out: libraries differ in the last digit of a logarithm
QUALITIES = range(1, 101)
FULL_SIZE_FINER, FULL_SIZE_SLOPE = 4.2, 0.256  # at coarseness 1, and how much faster its tables grow with it
FINE_FROM = 90.0  # where full size takes over from half size
STRETCH_FROM = 70.0  # from there to `FINE_FROM` half size's network quality rises faster
MAX_NETWORK_QUALITY = 115  # of any: a little over half the coarseness of 100

# ISO/IEC 10918-1 (JPEG), annex K, tables K.1 and K.2, rows of increasing vertical frequency.
ANNEX_K_LUMA = [
    [16, 11, 10, 16, 24, 40, 51, 61],
    [12, 12, 14, 19, 26, 58, 60, 55],
    [14, 13, 16, 24, 40, 57, 69, 56],
    [14, 17, 22, 29, 51, 87, 80, 62],
    [18, 22, 37, 56, 68, 109, 103, 77],
    [24, 35, 55, 64, 81, 104, 113, 92],
    [49, 64, 78, 87, 103, 121, 120, 101],
    [72, 92, 95, 98, 112, 100, 103, 99],
]
ANNEX_K_CHROMA = [
    [17, 18, 24, 47, 99, 99, 99, 99],
    [18, 21, 26, 66, 99, 99, 99, 99],
    [24, 26, 56, 99, 99, 99, 99, 99],
    [47, 66, 99, 99, 99, 99, 99, 99],
    [99, 99, 99, 99, 99, 99, 99, 99],
    [99, 99, 99, 99, 99, 99, 99, 99],
    [99, 99, 99, 99, 99, 99, 99, 99],
    [99, 99, 99, 99, 99, 99, 99, 99],
]


def initial_log_tables(scale: int) -> NDArray[np.float64]:
    """Where training starts, (2, 8, 8): halfway, in logarithms, between 0.4 x annex K and a flat table.

    A compact picture keeps more of its energy in high frequencies than the photos annex K was made for. Full size
    (`scale` 1) only pays for fine qualities, so that its tables are `FULL_SIZE_FINER` times as fine.
    """
    annex_k = np.log(0.4 * np.array([ANNEX_K_LUMA, ANNEX_K_CHROMA], dtype=np.float64))
    flat = np.log(np.array([14.0, 20.0])).reshape(2, 1, 1)
    middle: NDArray[np.float64] = (annex_k + flat) / 2
    return middle - math.log(FULL_SIZE_FINER) if scale == 1 else middle


def quality_to_coarseness(quality: float) -> float:
    """Scale of the tables at a network quality, 1..115: geometric from 9 (coarse) through 0.25 at 100.

    Raises:
        ValueError: `quality` is outside 1..115.
    """
    return math.exp(math.log(2) * log2_coarseness(quality))


def log2_coarseness(quality: float) -> float:
    """Base-2 logarithm of `quality_to_coarseness`, linear in the quality: exactly the same on every machine.

    Raises:
        ValueError: as there.
    """
    if not QUALITIES.start <= quality <= MAX_NETWORK_QUALITY:
        raise ValueError(f"network quality {quality}: expected 1 to {MAX_NETWORK_QUALITY}")
    fraction = (quality - 1) / 99
    return (1 - fraction) * LOG2_COARSEST + fraction * LOG2_FINEST


def check_quality(quality: float) -> None:
    """Raise ValueError where a quality is outside 1..100."""
    if not QUALITIES.start <= quality <= QUALITIES.stop - 1:
        raise ValueError(f"quality {quality}: expected 1 to 100")


@dataclass(frozen=True, kw_only=True)
class Ladder:
    """How a model of half size and the one of full size that belongs to it share the qualities.

    Attributes:
        half_end: network quality of the former where the latter takes over, at most `MAX_NETWORK_QUALITY`.
        full_start: network quality of the latter there: most pictures must gain from there on.
    """

    half_end: float = float(MAX_NETWORK_QUALITY)
    full_start: float = 82.0

    def half_size(self, quality: float) -> float:
        """Network quality at half size for a quality below `FINE_FROM`: itself, from `STRETCH_FROM` on faster."""
        beyond = max(0.0, quality - STRETCH_FROM)
        return quality + beyond * ((self.half_end - STRETCH_FROM) / (FINE_FROM - STRETCH_FROM) - 1)

    def full_size(self, quality: float) -> float:
        """Network quality at full size for a quality from `FINE_FROM` to 100, evenly."""
        last = QUALITIES.stop - 1
        return self.full_start + (quality - FINE_FROM) / (last - FINE_FROM) * (last - self.full_start)


def tables_at(
    log_tables: NDArray[np.floating], coarseness: float, log_slopes: NDArray[np.floating] | None = None
) -> NDArray[np.int64]:
    """Whole-number tables (2, 8, 8) in 1..255, as a baseline JPEG stores them, at a coarseness.

    Entry k is exp(log_tables[k]) * coarseness ** (1 + log_slopes[k]): with slopes, coarse tables have another shape.
    """
    growth = np.zeros(()) if log_slopes is None else log_slopes.astype(np.float64)
    entries = np.exp(log_tables.astype(np.float64) + math.log(coarseness) * growth) * coarseness
    return np.clip(np.rint(entries), 1, 255).astype(np.int64)
