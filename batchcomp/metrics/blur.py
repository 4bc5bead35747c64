"""Gaussian means of maps by products with banded matrices: what SSIM and SSIMULACRA2 are made of.

16 outputs from the 26 samples they see: BLAS does that several times as fast as an 11-tap filter in numpy or scipy, and
as fast as OpenCV does, which takes 150 MB. Products are small enough that no BLAS spreads one over threads.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from batchcomp.metrics.ssim_window import HALO, TAPS, taps

Maps = NDArray[np.float32]

_BLOCK: Final = 16  # outputs of one product


class Blur:
    """Memory for the means of so many maps of at most (height, width), used again and again."""

    def __init__(self, maps: int, height: int, width: int) -> None:
        self._rows = np.empty(maps * height * (width + HALO), np.float32)
        self._means = np.empty(maps * height * width, np.float32)

    def __call__(self, maps: Maps, step: int = 1, start: int = 0) -> Maps:
        """Return the means (n, h, w) of the valid windows of maps (n, h + 10, w + 10), until the next call.

        With a `step` of 2 those of rows `start` (0 or 1), `start` + 2 ... alone, (n, ceil((h - start) / 2), w).
        """
        number, width = maps.shape[0], maps.shape[2] - HALO
        height = len(range(start, maps.shape[1] - HALO, step))
        rows = self._rows[: number * height * maps.shape[2]].reshape(number, height, maps.shape[2])
        for first, count, size in _blocks(maps.shape[1] - HALO):
            matrix = _matrix(size, step, start)
            if len(matrix):
                seen = _cut(maps, 1, first, count, (size, HALO))
                np.matmul(matrix, seen, out=_cut(rows, 1, first // step, count, (len(matrix), 0)))
        flat = rows.reshape(number * height, maps.shape[2])
        means = self._means[: number * height * width].reshape(number * height, width)
        for first, count, size in _blocks(width):
            seen, made = (_cut(side, 0, first, count, (size, more)) for side, more in ((flat.T, HALO), (means.T, 0)))
            np.matmul(seen.swapaxes(1, 2), _transposed(size), out=made.swapaxes(1, 2))
        return means.reshape(number, height, width)


def _cut(array: NDArray[np.float32], axis: int, first: int, count: int, length: tuple[int, int]) -> NDArray[np.float32]:
    """A view of `count` pieces along an axis, which a new axis before it numbers.

    One begins every `length[0]` samples from `first` on, and is `length[1]` longer than that.
    """
    step = array.strides[axis]
    shape = *array.shape[:axis], count, sum(length), *array.shape[axis + 1 :]
    strides = *array.strides[:axis], length[0] * step, step, *array.strides[axis + 1 :]
    return as_strided(array[(slice(None),) * axis + (slice(first, None),)], shape, strides)


def _blocks(outputs: int) -> Iterator[tuple[int, int, int]]:
    """Yield (first output, number of blocks, outputs of each)."""
    count, rest = divmod(outputs, _BLOCK)
    if count:
        yield 0, count, _BLOCK
    if rest:
        yield count * _BLOCK, 1, rest


@lru_cache(maxsize=3 * _BLOCK)
def _matrix(outputs: int, step: int = 1, start: int = 0) -> NDArray[np.float32]:
    """Rows `start`, `start + step` ... of (outputs, outputs + 10): row i of that is the window over i .. i + 10."""
    matrix = np.zeros((outputs, outputs + HALO), np.float32)
    for row in range(outputs):
        matrix[row, row : row + TAPS] = taps()
    return np.ascontiguousarray(matrix[start::step])


@lru_cache(maxsize=_BLOCK)
def _transposed(outputs: int) -> NDArray[np.float32]:
    return np.ascontiguousarray(_matrix(outputs).T)  # BLAS takes twice as long with a view
