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

from batchcomp.codec.dct import ZIGZAG

Features = NDArray[np.float32]  # (features, blocks), whole numbers of at most 255 in size
Where = NDArray[np.intp]  # flat positions of blocks in a padded plane

_LARGEST: Final = 4096
# 16 log2(1 + c), rounded: the scale on which coefficients are compared
SQUASH: Final = np.minimum(127, np.rint(16 * np.log2(1 + np.arange(_LARGEST)))).astype(np.float32)
LOG2_OF_STEP: Final = np.rint(16 * np.log2(np.arange(1, 256))).astype(np.float32)  # of a table's entry - 1

_AT: Final = [(int(i) // 8, int(i) % 8) for i in ZIGZAG]  # (vertical, horizontal) frequency of the k-th
_INDEX: Final = {at: k for k, at in enumerate(_AT)}
# fmt: off
_OWN: Final = ((0, -1), (-1, 0), (-1, -1), (0, -2), (-2, 0), (1, -1), (-1, 1), (-2, 1), (1, -2), (-2, -1), (-1, -2),
               (-3, 0), (0, -3), (2, -2), (-2, 2))
# fmt: on
_RECENT: Final = 8
AC_FEATURES: Final = tuple(2 * len(_OWN) + 36 + 5 * planes for planes in range(3))  # by number of planes before
DC_FEATURES: Final = tuple(16 + 6 * planes for planes in range(3))
DC_TERMS: Final = tuple(7 + planes for planes in range(3))


def _before(k: int, offset: tuple[int, int]) -> int:
    """Index of the coefficient at an offset in frequency; -1 where there is none or it comes later."""
    v, h = _AT[k]
    other = _INDEX.get((v + offset[0], h + offset[1]), 64)
    return other if other < k else -1


def _window(k: int, radius: int) -> list[int]:
    """Other coefficients whose frequencies differ by at most `radius` in both directions."""
    v, h = _AT[k]
    return [j for j, (y, x) in enumerate(_AT) if j != k and max(abs(y - v), abs(x - h)) <= radius]


OWN: Final = [[_before(k, offset) for offset in _OWN] for k in range(64)]
_NEAR: Final = [[j for j in _window(k, 1) if j < k] for k in range(64)]
_WIDE: Final = [[j for j in _window(k, 2) if j < k] for k in range(64)]
_AROUND: Final = [[k, *(j for j in _window(k, 1) if j)] for k in range(64)]
_ACROSS: Final = [[_before(k, (0, -i)) for i in (1, 2, 3)] for k in range(64)]
_DOWN: Final = [[_before(k, (-i, 0)) for i in (1, 2, 3)] for k in range(64)]


def squash(values: NDArray[np.int64]) -> Features:
    """16 log2(1 + |v|) with the sign of v, at most 127 in size."""
    sizes = SQUASH[np.minimum(np.abs(values), _LARGEST - 1)]
    signed: Features = np.where(values < 0, -sizes, sizes)
    return signed


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


class Plane:
    """One plane's coefficients as far as they are known, with a border of zeros one block wide."""

    def __init__(self, rows: int, columns: int, table: NDArray[np.int64]) -> None:
        self.rows, self.columns, self.stride = rows, columns, columns + 2
        self.size = (rows + 2) * self.stride
        self.signed = np.zeros((64, self.size), np.float32)
        self.sizes = np.zeros((64, self.size), np.float32)
        self.dc = np.zeros((rows, columns), np.int64)
        self.values = np.zeros((64, self.size), np.int16)
        self.steps = LOG2_OF_STEP[table.reshape(64)[ZIGZAG] - 1]
        y, x = np.mgrid[:rows, :columns]
        flat = self.flat(y, x)
        self.passes = [flat[(y + x) % 2 == colour] for colour in (0, 1)]
        self.inside = flat.ravel()

    def put(self, k: int, where: Where, values: NDArray[np.int64]) -> None:
        """Note the k-th coefficients of some blocks."""
        self.values[k, where] = values
        self.signed[k, where] = squash(values)
        self.sizes[k, where] = np.abs(self.signed[k, where])

    def put_dc(self, y: Where, x: Where, values: NDArray[np.int64]) -> None:
        """Note the DC coefficients of some blocks."""
        self.dc[y, x] = values
        self.values[0, self.flat(y, x)] = values

    def flat(self, y: Where, x: Where) -> Where:
        """Positions of blocks in the padded plane."""
        return (y + 1) * self.stride + x + 1

    def flatten(self, blocks: NDArray[np.int16]) -> NDArray[np.int64]:
        """Coefficients (rows, columns, 8, 8) as (64, size), in zigzag order and padded."""
        answer = np.zeros((64, self.size), np.int64)
        answer[:, self.inside] = blocks.reshape(-1, 64)[:, ZIGZAG].T
        return answer

    def finish_dc(self) -> None:
        """All DC coefficients are known: as context of the others they count by their slopes."""
        around = np.pad(self.dc, 1, mode="edge")
        mean = around[1:-1, :-2] + around[1:-1, 2:] + around[:-2, 1:-1] + around[2:, 1:-1]
        self.signed[0, self.inside] = squash((4 * self.dc - mean + 2) >> 2).ravel()
        self.sizes[0] = np.abs(self.signed[0])

    def blocks(self) -> NDArray[np.int16]:
        """The coefficients (rows, columns, 8, 8)."""
        answer = np.empty((self.rows * self.columns, 64), np.int16)
        answer[:, ZIGZAG] = self.values[:, self.inside].T
        return answer.reshape(self.rows, self.columns, 8, 8)


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
    """Features of AC coefficients: call `begin(k)` for k = 1..63 in turn, then `at(colour)` for 0 and 1."""

    def __init__(self, plane: Plane, before: Sequence[Plane], quality: int) -> None:
        self.plane, self.before, self.quality = plane, before, quality
        zeros = np.zeros(plane.size, np.float32)
        self._total, self._count, self._recent = zeros.copy(), zeros.copy(), zeros.copy()
        self._totals = [other.sizes[1:].sum(axis=0) for other in before]
        self._k = 0
        self._shared = np.zeros((0, plane.size), np.float32)

    def begin(self, k: int) -> None:
        """Sum up what is known before the k-th coefficients; all earlier ones are."""
        plane, self._k = self.plane, k
        if k > 1:
            nonzero = plane.sizes[k - 1] > 0
            self._total += plane.sizes[k - 1]
            self._count += nonzero
            self._recent += nonzero
            if k > 1 + _RECENT:
                self._recent -= plane.sizes[k - 1 - _RECENT] > 0
        near, wide = plane.sizes[_NEAR[k]].sum(axis=0), plane.sizes[_WIDE[k]].sum(axis=0)
        sides, around = self._sides(near), self._around(near)
        four = _total(sides)
        rows = [
            _scaled(self._total, 2), self._count, self._recent * 16, _scaled(wide, 1),
            *(_scaled(side, 1) for side in sides), _scaled(four, 2), _scaled(around - four, 2),
            _scaled(self._around(self._total), 5), _scaled(self._around(wide), 3),
        ]  # fmt: skip
        for other, total in zip(self.before, self._totals, strict=True):
            around = other.sizes[_AROUND[k]].sum(axis=0)
            level = _scaled(_total(self._sides(other.sizes[k])), 1)
            rows += [other.signed[k], other.sizes[k], _scaled(around, 1), _scaled(total, 4), level]
        self._shared = np.stack(rows)

    def at(self, colour: int) -> Features:
        """Features (F, M) of the blocks `plane.passes[colour]`."""
        plane, k, where = self.plane, self._k, self.plane.passes[colour]
        answer = np.zeros((AC_FEATURES[len(self.before)], len(where)), np.float32)
        own = [j for j in OWN[k] if j >= 0]
        rows = [i for i, j in enumerate(OWN[k]) if j >= 0]
        at = len(OWN[k])
        answer[rows] = plane.signed[np.ix_(own, where)]
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
        answer[at + 21 : -3] = self._shared[:, where]
        answer[-3:] = np.array([[64 * colour], [plane.steps[k]], [self.quality]], np.float32)
        return answer

    def _sides(self, x: Features) -> list[Features]:
        """Values of the left, right, upper and lower neighbours; zero at the ends of the padded plane."""
        return [_moved(x, offset) for offset in (-1, 1, -self.plane.stride, self.plane.stride)]

    def _around(self, x: Features) -> Features:
        """Sum of the eight neighbours."""
        row, stride = x.copy(), self.plane.stride
        row[1:] += x[:-1]
        row[:-1] += x[1:]
        answer = row - x
        answer[stride:] += row[:-stride]
        answer[:-stride] += row[stride:]
        return answer


def _moved(x: Features, offset: int) -> Features:
    """x[i + offset], zero outside."""
    answer = np.zeros_like(x)
    if offset < 0:
        answer[-offset:] = x[:offset]
    else:
        answer[:-offset] = x[offset:]
    return answer
