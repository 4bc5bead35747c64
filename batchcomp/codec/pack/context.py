"""What is known of a coefficient before it is read: whole numbers that the packer's networks predict it from.

Order of coding: planes Y, Cb, Cr; in each the DC coefficients along diagonals (x + 2 y), so that left, upper and both
upper diagonal neighbours come first; then the AC coefficients in zigzag order, each in two passes like the colours of
a chessboard. So lower frequencies are known on all sides, equal ones of the four neighbours in the second pass, and
all of the planes before. Everything is small integers in float32: sums are exact in any order, on any machine.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from batchcomp.codec.pack.expectations import Edges, Mix
from batchcomp.codec.pack.plane import AT, Features, Plane, Where, moved, squash

_INDEX: Final = {at: k for k, at in enumerate(AT)}
# fmt: off
_OWN: Final = ((0, -1), (-1, 0), (-1, -1), (0, -2), (-2, 0), (1, -1), (-1, 1), (-2, 1), (1, -2), (-2, -1), (-1, -2),
               (-3, 0), (0, -3), (2, -2), (-2, 2))
# fmt: on
_RECENT: Final = 8
# before these coefficients each open block says whether it ends: whether this one and all that follow are zero
ENDS: Final = frozenset((6, 15, 28, 45))
AC_FEATURES: Final = tuple(2 * len(_OWN) + 51 + 7 * planes for planes in range(3))  # by number of planes before
DC_FEATURES: Final = tuple(16 + 6 * planes for planes in range(3))
DC_TERMS: Final = tuple(7 + planes for planes in range(3))


def _before(k: int, offset: tuple[int, int]) -> int:
    """Index of the coefficient at an offset in frequency; -1 where there is none or it comes later."""
    v, h = AT[k]
    other = _INDEX.get((v + offset[0], h + offset[1]), 64)
    return other if other < k else -1


def _window(k: int, radius: int) -> list[int]:
    """Other coefficients whose frequencies differ by at most `radius` in both directions."""
    v, h = AT[k]
    return [j for j, (y, x) in enumerate(AT) if j != k and max(abs(y - v), abs(x - h)) <= radius]


OWN: Final = [[_before(k, offset) for offset in _OWN] for k in range(64)]
_NEAR: Final = [[j for j in _window(k, 1) if j < k] for k in range(64)]
_WIDE: Final = [[j for j in _window(k, 2) if j < k] for k in range(64)]
_AROUND: Final = [[k, *(j for j in _window(k, 1) if j)] for k in range(64)]
_ACROSS: Final = [[_before(k, (0, -i)) for i in (1, 2, 3)] for k in range(64)]
_DOWN: Final = [[_before(k, (-i, 0)) for i in (1, 2, 3)] for k in range(64)]


def _scaled(x: Features, shift: int) -> Features:
    """Return x / 2^shift rounded down, at most 255."""
    answer: Features = np.minimum(np.floor(x * np.float32(0.5**shift)), np.float32(255))
    return answer


def _total(parts: Iterable[Features]) -> Features:
    """Sum of arrays of one shape."""
    first, *others = parts
    answer = first.copy()
    for other in others:
        answer += other
    return answer


def diagonals(rows: int, columns: int) -> Iterator[tuple[Where, Where]]:
    """Yield the (y, x) of blocks that can be coded together: x + 2 y is the same."""
    for t in range(columns + 2 * (rows - 1)):
        y = np.arange(max(0, (t - columns + 2) // 2), min(rows - 1, t // 2) + 1)
        yield y, t - 2 * y


class DcContext:
    """Features of DC coefficients, and the terms their prediction is made of."""

    def __init__(self, plane: Plane, before: Sequence[Plane], quality: int) -> None:
        self.plane, self.quality = plane, quality
        self._slopes = [_slopes(other.dc) for other in before]

    def at(self, y: Where, x: Where) -> tuple[Features, NDArray[np.int64], NDArray[np.int64]]:
        """Features (F, M), base (M,) and terms (T, M): the prediction is base + a weighted sum of the terms."""
        base, terms = self._neighbours(y, x)
        slopes = [slope[:, y, x] for slope in self._slopes]
        signed = squash(terms)
        constant = np.full((2, len(y)), [[self.plane.steps[0]], [self.quality]], np.float32)
        rows = [signed, np.abs(signed), constant]
        rows += [part for slope in slopes for part in (squash(slope), np.abs(squash(slope[:1])))]
        return np.concatenate(rows), base, np.concatenate([terms, *(slope[:1] for slope in slopes)])

    def _neighbours(self, y: Where, x: Where) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        dc, last = self.plane.dc, self.plane.columns - 1
        top, left = y == 0, x == 0
        w = np.where(left, np.where(top, 0, dc[y - 1, x]), dc[y, x - 1])
        n = np.where(top, w, dc[y - 1, x])
        nw = np.where(top, w, np.where(left, n, dc[y - 1, x - 1]))
        ne = np.where(top, w, np.where(x == last, n, dc[y - 1, np.minimum(x + 1, last)]))
        ww, nn = np.where(x < 2, w, dc[y, np.maximum(0, x - 2)]), np.where(y < 2, n, dc[np.maximum(0, y - 2), x])
        gradient = np.clip(w + n - nw, np.minimum(w, n), np.maximum(w, n))
        base = (2 * (w + n) + ne - nw + 2) >> 2
        return base, np.stack([w, n, nw, ne, ww, nn, gradient]) - base


def _slopes(dc: NDArray[np.int64]) -> NDArray[np.int64]:
    """Of a known plane (5, rows, columns): against its base, then to the right, down, left and up."""
    p = np.pad(dc, 1, mode="edge")
    w, n, ne, nw, e, s = p[1:-1, :-2], p[:-2, 1:-1], p[:-2, 2:], p[:-2, :-2], p[1:-1, 2:], p[2:, 1:-1]
    return np.stack([dc - ((2 * (w + n) + ne - nw + 2) >> 2), e - dc, s - dc, w - dc, n - dc])


class AcContext:
    """Features of AC coefficients: call `begin(k)` for k = 1..63 in turn, then `at` for the colours 0 and 1.

    Between the colours comes `turn`. Blocks that have ended hold zeros from there on.
    """

    def __init__(self, plane: Plane, before: Sequence[Plane], quality: int) -> None:
        self.plane, self.before, self.quality = plane, before, quality
        zeros = np.zeros(plane.size, np.float32)
        self._total, self._count, self._recent = zeros.copy(), zeros.copy(), zeros.copy()
        self._since = zeros.copy()  # nonzero ones since the last chance to end
        self._totals = [other.sizes[1:].sum(axis=0) for other in before]
        self._k = 0
        self._shared = np.zeros((0, plane.size), np.float32)
        self._means = np.zeros(3, np.float32)
        self._first = plane.open[0]
        self._edges = Edges(plane)
        self._mixes = [Mix(plane, other) for other in before]

    def begin(self, k: int) -> None:
        """Sum up what is known before the k-th coefficients; all earlier ones are."""
        plane, self._k = self.plane, k
        self._learn(k - 1, plane.open[1] if k > 1 else plane.inside)
        if k > 1:
            nonzero = plane.sizes[k - 1] > 0
            self._since += nonzero
            self._total += plane.sizes[k - 1]
            self._count += nonzero
            self._recent += nonzero
            if k > 1 + _RECENT:
                self._recent -= plane.sizes[k - 1 - _RECENT] > 0
        if k in ENDS:
            self._since = np.zeros_like(self._since)
        near, wide = plane.sizes[_NEAR[k]].sum(axis=0), plane.sizes[_WIDE[k]].sum(axis=0)
        sides, around = self._sides(near), self._around(near)
        four = _total(sides)
        rows = [
            _scaled(self._total, 2), self._count, self._recent * 16, _scaled(wide, 1),
            *(_scaled(side, 1) for side in sides), _scaled(four, 2), _scaled(around - four, 2),
            _scaled(self._around(self._total), 5), _scaled(self._around(wide), 3), np.minimum(self._since * 32, 255),
        ]  # fmt: skip
        for other, total in zip(self.before, self._totals, strict=True):
            around = other.sizes[_AROUND[k]].sum(axis=0)
            level = _scaled(_total(self._sides(other.sizes[k])), 1)
            rows += [other.signed[k], other.sizes[k], _scaled(around, 1), _scaled(total, 4), level]
        self._shared = np.stack(rows)
        known = plane.sizes[_NEAR[k]][:, plane.inside] if _NEAR[k] else np.zeros(1, np.float32)
        last = self.before[-1].sizes[k, plane.inside] if self.before else np.zeros(1, np.float32)
        self._means = np.array([0, _mean(known), _mean(last)], np.float32)

    def turn(self) -> None:
        """The first colour's coefficients are known."""
        self._learn(self._k, self.plane.open[0])
        self._means[0] = _mean(self.plane.sizes[self._k, self._first])

    def at(self, colour: int, where: Where) -> Features:
        """Features (F, M) of some open blocks of a colour."""
        plane, k = self.plane, self._k
        answer = np.zeros((AC_FEATURES[len(self.before)], len(where)), np.float32)
        own = [j for j in OWN[k] if j >= 0]
        rows = [i for i, j in enumerate(OWN[k]) if j >= 0]
        at = len(OWN[k])
        answer[rows] = plane.signed[np.array(own, np.intp)[:, None], where]
        answer[[at + i for i in rows]] = np.abs(answer[rows])
        at *= 2
        offsets = (-1, 1, -plane.stride, plane.stride)
        if colour:
            for i, offset in enumerate(offsets):
                answer[at + i] = plane.signed[k, where + offset]
            np.abs(answer[at : at + 4], out=answer[at + 4 : at + 8])
            answer[at + 8] = _scaled(answer[at + 4 : at + 8].sum(axis=0), 1)
        for i, offset in enumerate(offsets):
            for n, j in enumerate(_ACROSS[k] if i < 2 else _DOWN[k]):
                if j >= 0:
                    answer[at + 9 + 3 * i + n] = plane.signed[j, where + offset]
        answer[at + 21 : at + 31] = self._edges.expected(k, where)
        at += 31
        for mix in self._mixes:
            answer[at] = mix.expected(k, where)
            answer[at + 1] = np.abs(answer[at])
            at += 2
        answer[at:-7] = self._shared[:, where]
        answer[-7] = 60 * _total([plane.alive[where + offset] for offset in offsets])
        answer[-6:-3] = self._means[:, None]
        answer[-3:] = np.array([[64 * colour], [plane.steps[k]], [self.quality]], np.float32)
        return answer

    def _learn(self, k: int, where: Where) -> None:
        """Take in the k-th coefficients of some blocks."""
        self._edges.add(k, where)
        for mix in self._mixes:
            mix.add(k, where)

    def _sides(self, x: Features) -> list[Features]:
        """Values of the left, right, upper and lower neighbours; zero at the ends of the padded plane."""
        return [moved(x, offset) for offset in (-1, 1, -self.plane.stride, self.plane.stride)]

    def _around(self, x: Features) -> Features:
        """Sum of the eight neighbours."""
        row, stride = x.copy(), self.plane.stride
        row[1:] += x[:-1]
        row[:-1] += x[1:]
        answer = row - x
        answer[stride:] += row[:-stride]
        answer[:-stride] += row[stride:]
        return answer


def _mean(x: Features) -> float:
    """Return the mean in steps of a quarter, at most 255; sums of whole numbers below 2^53 are exact."""
    return float(min(255, np.floor(4 * x.sum(dtype=np.float64) / max(1, x.size))))
