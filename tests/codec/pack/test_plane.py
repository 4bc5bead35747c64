"""Blocks of a plane as they become known."""

from __future__ import annotations

import numpy as np

from batchcomp.codec.dct import ZIGZAG
from batchcomp.codec.pack.plane import Plane, last_nonzero


def test_coefficients_come_back_in_their_places() -> None:
    """What is put in zigzag order is read as blocks."""
    blocks = np.arange(2 * 3 * 64).reshape(2, 3, 8, 8).astype(np.int16)
    plane = Plane(2, 3, np.ones((8, 8), np.int64))
    truth = plane.flatten(blocks)
    assert truth[5, plane.inside[4]] == blocks[1, 1].ravel()[ZIGZAG[5]]
    for k in range(64):
        plane.put(k, plane.inside, truth[k, plane.inside])
    assert np.array_equal(plane.blocks(), blocks)


def test_a_block_that_has_ended_is_open_no_more() -> None:
    """Each colour of the chessboard has its own list."""
    plane = Plane(3, 4, np.ones((8, 8), np.int64))
    first = plane.open[0].copy()
    plane.end(0, np.array([True, False, False, True, False, False]))
    assert plane.open[0].tolist() == first[[1, 2, 4, 5]].tolist()
    assert len(plane.open[1]) == 6
    assert plane.alive.sum() == 10
    assert plane.alive[first[[0, 3]]].tolist() == [0, 0]


def test_the_last_nonzero_coefficient_is_found() -> None:
    """0 where there is none behind the first."""
    values = np.zeros((64, 4), np.int64)
    values[0, 1], values[7, 2], values[9, 2], values[63, 3] = 5, 1, -1, 1
    assert last_nonzero(values).tolist() == [0, 0, 9, 63]
