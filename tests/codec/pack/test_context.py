"""What the packer's networks predict from."""

from __future__ import annotations

import numpy as np
import pytest

from batchcomp.codec.pack import context
from batchcomp.codec.pack.plane import Plane, last_nonzero


def test_the_scales_are_the_same_on_every_machine() -> None:
    """No entry of the logarithmic tables is near a half, where another `log2` could round the other way."""
    for values in (16 * np.log2(1 + np.arange(4096)), 16 * np.log2(np.arange(1, 256))):
        assert np.abs(values % 1 - 0.5).min() > 1e-5


def test_features_stay_small() -> None:
    """Features are whole and at most 255 in size, whatever the coefficients."""
    rng = np.random.default_rng(3)
    planes = []
    for number in range(3):
        plane = Plane(5, 6, rng.integers(1, 256, (8, 8)))
        values = rng.integers(-1023, 1024, (5, 6, 64)) * (np.arange(64) < rng.integers(0, 65, (5, 6, 1)))
        truth = plane.flatten(values.reshape(5, 6, 8, 8).astype(np.int16))
        found = context.DcContext(plane, planes, 50)
        for y, x in context.diagonals(5, 6):
            features, _, terms = found.at(y, x)
            assert features.shape == (context.DC_FEATURES[number], len(y))
            assert terms.shape == (context.DC_TERMS[number], len(y))
            assert np.abs(features).max() <= 255
            plane.put_dc(y, x, truth[0, plane.flat(y, x)])
        plane.finish_dc()
        around, lasts = context.AcContext(plane, planes, 50), last_nonzero(truth)
        for k in range(1, 64):
            around.begin(k)
            for colour in (0, 1):
                if colour:
                    around.turn()
                where = plane.open[colour]
                features = around.at(colour, where)
                assert features.shape == (context.AC_FEATURES[number], len(where))
                assert not features.size or np.abs(features).max() <= 255
                assert np.array_equal(features, np.rint(features))
                if k in context.ENDS:
                    plane.end(colour, lasts[where] < k)
                where = plane.open[colour]
                plane.put(k, where, truth[k, where])
        assert np.array_equal(plane.blocks().reshape(5, 6, 64), values)
        planes.append(plane)


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (7, 1), (4, 9), (9, 4)])
def test_diagonals_take_each_block_once_and_after_its_neighbours(size: tuple[int, int]) -> None:
    """Every block comes once, after its left, upper left, upper and upper right neighbours."""
    order = {(int(y), int(x)): n for n, part in enumerate(context.diagonals(*size)) for y, x in zip(*part, strict=True)}
    assert len(order) == size[0] * size[1]
    for (y, x), n in order.items():
        for other in ((y, x - 1), (y - 1, x - 1), (y - 1, x), (y - 1, x + 1)):
            assert order.get(other, -1) < n
