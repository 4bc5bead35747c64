"""One plane of coefficients as far as they are known, and the scale on which they are compared."""

from __future__ import annotations

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

AT: Final = [(int(i) // 8, int(i) % 8) for i in ZIGZAG]  # (vertical, horizontal) frequency of the k-th


def squash(values: NDArray[np.int64]) -> Features:
    """16 log2(1 + |v|) with the sign of v, at most 127 in size."""
    sizes = SQUASH[np.minimum(np.abs(values), _LARGEST - 1)]
    signed: Features = np.where(values < 0, -sizes, sizes)
    return signed


class Plane:
    """One plane's coefficients as far as they are known, with a border of zeros one block wide."""

    def __init__(self, rows: int, columns: int, table: NDArray[np.int64]) -> None:
        self.rows, self.columns, self.stride = rows, columns, columns + 2
        self.size = (rows + 2) * self.stride
        self.signed = np.zeros((64, self.size), np.float32)
        self.sizes = np.zeros((64, self.size), np.float32)
        self.dc = np.zeros((rows, columns), np.int64)
        self.values = np.zeros((64, self.size), np.int16)
        self.bends = np.zeros(self.size)  # DC coefficients against the mean of their neighbours
        self.table = table.reshape(64)[ZIGZAG]
        self.steps = LOG2_OF_STEP[self.table - 1]
        y, x = np.mgrid[:rows, :columns]
        flat = self.flat(y, x)
        self.inside = flat.ravel()
        self.open = [flat[(y + x) % 2 == colour] for colour in (0, 1)]  # blocks that have not ended, by colour
        self.alive = np.zeros(self.size, np.float32)  # 1 for each of them
        self.alive[self.inside] = 1

    def put(self, k: int, where: Where, values: NDArray[np.int64]) -> None:
        """Note the k-th coefficients of some blocks."""
        self.values[k, where] = values
        self.signed[k, where] = squash(values)
        self.sizes[k, where] = np.abs(self.signed[k, where])

    def end(self, colour: int, ended: NDArray[np.bool_]) -> None:
        """Note which of the open blocks of a colour hold nothing more."""
        self.alive[self.open[colour][ended]] = 0
        self.open[colour] = self.open[colour][~ended]

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
        bends = ((4 * self.dc - mean + 2) >> 2).ravel()
        self.bends[self.inside] = bends
        self.signed[0, self.inside] = squash(bends)
        self.sizes[0] = np.abs(self.signed[0])

    def blocks(self) -> NDArray[np.int16]:
        """The coefficients (rows, columns, 8, 8)."""
        answer = np.empty((self.rows * self.columns, 64), np.int16)
        answer[:, ZIGZAG] = self.values[:, self.inside].T
        return answer.reshape(self.rows, self.columns, 8, 8)


def moved(x: Features, offset: int) -> Features:
    """x[i + offset], zero outside."""
    answer = np.zeros_like(x)
    if offset < 0:
        answer[-offset:] = x[:offset]
    else:
        answer[:-offset] = x[offset:]
    return answer


def last_nonzero(coefficients: NDArray[np.int64]) -> NDArray[np.int64]:
    """Of (64, M) in zigzag order, index of the last that is not zero, 0 where there is none behind the first: (M,)."""
    answer: NDArray[np.int64] = (np.arange(64)[:, None] * (coefficients != 0)).max(axis=0)
    return answer
