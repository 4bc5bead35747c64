"""What neighbours and other planes lead one to expect."""

from __future__ import annotations

import numpy as np

from batchcomp.codec.dct import coefficients
from batchcomp.codec.pack.expectations import EDGE, GRID, Edges, Mix
from batchcomp.codec.pack.plane import Plane, squash
from tests.cli.samples import photo

STEP = 6
TABLES = np.full((2, 8, 8), STEP, np.int64)


def plane_of(blocks: np.ndarray[tuple[int, ...], np.dtype[np.int16]]) -> Plane:
    plane = Plane(*blocks.shape[:2], TABLES[0])
    truth = plane.flatten(blocks)
    for k in range(1, 64):
        plane.put(k, plane.inside, truth[k, plane.inside])
    rows, columns = np.mgrid[: plane.rows, : plane.columns]
    plane.put_dc(rows, columns, truth[0, plane.flat(rows, columns)])
    plane.finish_dc()
    return plane


def test_the_edges_of_basis_functions_are_the_same_on_every_machine() -> None:
    """None is near a half, where another `cos` could round the other way."""
    n = np.arange(8)
    exact = GRID * np.where(n, 1, np.sqrt(0.5)) * (1.5 * np.cos(n * np.pi / 16) - 0.5 * np.cos(3 * n * np.pi / 16))
    assert np.abs(exact - EDGE).max() < 0.5 - 1e-5


def test_a_picture_goes_on_across_the_edges_of_blocks() -> None:
    """What neighbours expect has the sign of a photo's low frequencies two times in three; a guess, one in two."""
    plane = plane_of(coefficients(photo(200, 240, seed=4), TABLES)[0])
    edges = Edges(plane)
    right = known = 0
    for k in range(1, 15):
        edges.add(k - 1, plane.inside)
        truth = plane.values[k, plane.inside]
        mean = edges.expected(k, plane.inside)[4]
        where = (truth != 0) & (mean != 0)
        right += int((np.sign(mean[where]) == np.sign(truth[where])).sum())
        known += int(where.sum())
        if k < 3:
            assert np.corrcoef(mean, squash(4 * truth.astype(np.int64)))[0, 1] > 0.5
    assert known > 1000
    assert right > 0.65 * known


def test_outside_the_picture_nothing_is_expected() -> None:
    """A block alone has no neighbours."""
    plane = plane_of(np.full((1, 1, 8, 8), 9, np.int16))
    edges = Edges(plane)
    edges.add(0, plane.inside)
    assert not edges.expected(1, plane.inside).any()


def test_planes_that_go_together_tell_each_other() -> None:
    """Of a plane that is minus twice another, each coefficient is expected as it is."""
    other = plane_of(coefficients(photo(64, 80, seed=2), TABLES)[0])
    plane = plane_of((-2 * other.blocks()).astype(np.int16))
    mix = Mix(plane, other)
    for k in range(1, 30):
        found = mix.expected(k, plane.inside)
        certain = mix._squares[plane.inside] > 0
        assert np.array_equal(found[certain], squash(4 * plane.values[k, plane.inside].astype(np.int64))[certain])
        mix.add(k, plane.inside)


def test_of_a_flat_plane_nothing_is_learned() -> None:
    """No division by zero, and nothing expected."""
    other, plane = (plane_of(np.zeros((2, 2, 8, 8), np.int16)) for _ in range(2))
    mix = Mix(plane, other)
    mix.add(0, plane.inside)
    assert not mix.expected(1, plane.inside).any()
