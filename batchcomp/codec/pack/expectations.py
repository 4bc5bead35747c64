"""What is expected of a coefficient from others, in quarters of its step: by continuity, and by another plane.

Sums of whole numbers in float64, which are exact; quotients are rounded by IEEE 754, alike on every machine.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from batchcomp.codec.pack.plane import AT, Features, Plane, Where, moved, squash

GRID: Final = 1 << 10
_N: Final = np.arange(8)
# of each basis function at a block's edge, half a pixel beyond the middle of the outermost pixel, by a straight line
# through the last two
EDGE: Final = np.rint(
    GRID * np.where(_N, 1, np.sqrt(0.5)) * (1.5 * np.cos(_N * np.pi / 16) - 0.5 * np.cos(3 * _N * np.pi / 16))
)
_SIGNS: Final = np.where(_N % 2, -1.0, 1.0)


class Edges:
    """Coefficients as the four neighbours expect them: the picture goes on across the common edges.

    Along an edge the frequency v of a block has the value sum_u e(u) c(v, u), as far as c are known; the same on both
    sides gives the next c. (Lepton does so for the first row and column: Horn et al. 2017, "The design, implementation,
    and deployment of a system to transparently compress hundreds of petabytes of image files".)
    """

    def __init__(self, plane: Plane) -> None:
        self.plane = plane
        self._sums = np.zeros((4, 8, plane.size))  # left, right, upper, lower edge of each block by frequency along it
        self._offsets = (-1, 1, -plane.stride, plane.stride)
        self._known = np.stack([moved(plane.alive, offset) > 0 for offset in self._offsets])  # whether there is one

    def add(self, k: int, where: Where) -> None:
        """Take in the k-th coefficients of some blocks."""
        (v, u), plane = AT[k], self.plane
        values = plane.values[k, where] * float(plane.table[k])
        self._sums[0, v, where] += EDGE[u] * values
        self._sums[1, v, where] += EDGE[u] * _SIGNS[u] * values
        self._sums[2, u, where] += EDGE[v] * values
        self._sums[3, u, where] += EDGE[v] * _SIGNS[v] * values

    def expected(self, k: int, where: Where) -> Features:
        """What each side expects in quarters of a step, squashed, their mean, and the sizes of all: (10, M)."""
        (v, u), sums = AT[k], self._sums
        step = float(self.plane.table[k])
        found = np.zeros((5, len(where)))
        for side, (offset, along, across) in enumerate(zip(self._offsets, (v, v, u, u), (u, u, v, v), strict=True)):
            other = side ^ 1
            unit = EDGE[across] * (_SIGNS[across] if side % 2 else 1.0) * step / 4
            beyond = sums[other, along, where + offset] - sums[side, along, where]
            found[side] = np.where(self._known[side, where], beyond / unit, 0)
        count = np.maximum(1, self._known[:, where].sum(axis=0))
        found[4] = (found[0] + found[1] + found[2] + found[3]) / count  # in this order, on every machine
        signed = squash(np.rint(np.clip(found, -4000, 4000)).astype(np.int64))
        return np.concatenate([signed, np.abs(signed)])


class Mix:
    """Coefficients as another plane expects them: in one place the planes go with each other by one factor.

    The factor is that of least squares over what is known in the block, counted twice, and in its four neighbours;
    cross-component linear models of video codecs (ITU-T H.266) do the same with pixels.
    """

    def __init__(self, plane: Plane, other: Plane) -> None:
        self.plane, self.other = plane, other
        self._products, self._squares = np.zeros(plane.size), np.zeros(plane.size)

    def add(self, k: int, where: Where) -> None:
        """Take in the k-th coefficients of some blocks."""
        plane, other = self.plane, self.other
        a, b = (one.bends[where] if k == 0 else one.values[k, where].astype(np.float64) for one in (plane, other))
        b = b * float(other.table[k])
        self._products[where] += a * float(plane.table[k]) * b
        self._squares[where] += b * b

    def expected(self, k: int, where: Where) -> Features:
        """What the other plane expects in quarters of a step, squashed: (M,)."""
        products, squares = (self._near(sums, where) for sums in (self._products, self._squares))
        value = self.other.values[k, where] * (4.0 * float(self.other.table[k]))
        found = products * value / np.maximum(1, squares * float(self.plane.table[k]))
        return squash(np.rint(np.clip(found, -4000, 4000)).astype(np.int64))

    def _near(self, sums: NDArray[np.float64], where: Where) -> NDArray[np.float64]:
        stride = self.plane.stride
        return 2 * sums[where] + sums[where - 1] + sums[where + 1] + sums[where - stride] + sums[where + stride]
