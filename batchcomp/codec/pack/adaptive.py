"""Odds that follow the picture: what decisions of one kind were, against what the networks expected of them.

Adaptive probability maps, or secondary symbol estimation (Mahoney 2005, PAQ6 and later): decisions of one kind to which
a network gives about the same odds share a count; where more or fewer of them were 1 than it expected, later ones are
corrected by as much. There are two maps, one for each range of k and one for all, and the mean of both counts. Counts
are whole multiples of 2^-22 and the logarithm is a table's, so that every machine corrects alike.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from batchcomp.codec.pack.model import MAX_LOGIT

Values = NDArray[np.int64]
Bits = NDArray[np.bool_]
Odds = NDArray[np.float64]

BUCKETS: Final = 8  # of odds, evenly over logits from -6 to 6
_WIDTH, _LOWEST = 192, -768  # of a bucket and of the first, in 1/128
_BUCKET: Final = np.clip((np.arange(-MAX_LOGIT, MAX_LOGIT + 1) - _LOWEST) // _WIDTH, 0, BUCKETS - 1)  # by logit
_BANDS: Final = tuple(int(np.searchsorted((1, 3, 6, 15, 28, 45), k, side="right")) for k in range(64))  # by k
_ALL: Final = max(_BANDS) + 1  # the map of all k
_PRIOR: Final = 20.0  # decisions of either outcome that went as expected before the first one
_ENOUGH: Final = 100  # decisions of a kind that are learned from at once
_FINER: Final = 256  # steps of the table's logarithm in one of a logit
_MOST: Final = 128 * _FINER  # a correction's size: one, in natural logarithm
_ENTRIES: Final = 1024
_LN2: Final = round(math.log(2) * _MOST)
LOGARITHMS: Final = np.rint(np.log(0.5 + (np.arange(_ENTRIES) + 0.5) / (2 * _ENTRIES)) * _MOST).astype(np.int64)


def logarithm(x: Odds) -> Values:
    """About 2^15 ln(x) of positive numbers: the same on every machine."""
    mantissas, exponents = np.frexp(x)
    answer: Values = LOGARITHMS[((mantissas - 0.5) * (2 * _ENTRIES)).astype(np.int64)] + exponents * _LN2
    return answer


class AdaptiveMaps:
    """The maps of one plane's AC or DC coefficients, for so many kinds of decisions."""

    def __init__(self, kinds: int) -> None:
        # seen and expected ones, seen and expected zeros: (kinds, maps, 4, buckets)
        self._counts = np.full((kinds, _ALL + 1, 4, BUCKETS), _PRIOR)
        self._found = np.zeros((kinds, _ALL + 1, BUCKETS), np.int64)  # each map's own, in 2^-15
        self._corrections = np.zeros((kinds, _ALL, BUCKETS), np.int64)
        self._waiting: dict[tuple[int, int], list[tuple[Values, Odds, Bits]]] = {}

    def corrected(self, kind: int, k: int, logits: Values) -> tuple[Values, Values]:
        """Logits (M,) of decisions on k-th coefficients, corrected, and their buckets (M,)."""
        buckets = _BUCKET.take(logits + MAX_LOGIT, mode="clip")
        return logits + self._corrections[kind, _BANDS[k]].take(buckets), buckets

    def learn(self, kind: int, k: int, buckets: Values, odds: Odds, bits: Bits) -> None:
        """Take note of decisions (M,), and of the odds that they had before they were corrected."""
        band = _BANDS[k]
        waiting = self._waiting.setdefault((kind, band), [])
        if not waiting and len(bits) >= _ENOUGH:
            self._learn(kind, band, buckets, odds, bits)
            return
        waiting.append((buckets, odds, bits))
        if sum(len(part) for part, _, _ in waiting) >= _ENOUGH:
            self._learn(kind, band, *map(np.concatenate, zip(*waiting, strict=True)))
            waiting.clear()

    def _learn(self, kind: int, band: int, buckets: Values, odds: Odds, bits: Bits) -> None:
        number, ones = np.bincount(buckets, minlength=BUCKETS), np.bincount(buckets, weights=bits, minlength=BUCKETS)
        expected = np.bincount(buckets, weights=odds, minlength=BUCKETS)
        counts = self._counts[kind]
        for at in (band, _ALL):
            counts[at] += (ones, expected, number - ones, number - expected)
        logarithms = logarithm(counts[[band, _ALL]])
        found = logarithms[:, 0] - logarithms[:, 1] - logarithms[:, 2] + logarithms[:, 3]
        self._found[kind, [band, _ALL]] = np.clip(found, -_MOST, _MOST)
        self._corrections[kind] = (self._found[kind, :_ALL] + self._found[kind, _ALL]) // (2 * _FINER)
