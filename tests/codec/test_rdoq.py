"""Rate-distortion optimised quantisation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchcomp.codec import baseline, dct, jpeg, rdoq
from tests.cli.samples import photo
from tests.codec.test_dct import FLAT, nearest


def plane(seed: int, blocks: int = 300) -> rdoq.Scaled:
    """Coefficients as photos have them: the higher the frequency, the smaller."""
    rng = np.random.default_rng(seed)
    return rng.laplace(0, np.geomspace(6, 0.1, 64), (blocks, 64)).astype(np.float32)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_only_small_coefficients_are_dropped(seed: int) -> None:
    """Whatever is not the nearest whole number is an AC coefficient of size one, just above half a step, now zero."""
    scaled = plane(seed, 40)
    found, usual = rdoq.quantise(scaled), np.rint(scaled)
    dropped = found != usual
    assert not found[dropped].any()
    assert not dropped[:, 0].any()
    assert np.all(np.abs(usual[dropped]) == 1)
    assert np.all(np.abs(scaled[dropped]) <= 0.5 + rdoq.USUAL.most)


def test_the_dear_ones_are_dropped() -> None:
    """A coefficient alone among zeros goes where one of the same size in company stays."""
    scaled = np.zeros((200, 64), np.float32)
    scaled[:100, 1:20] = 1.0  # busy blocks
    scaled[0, 20] = scaled[150, 50] = 0.55
    found = rdoq.quantise(scaled)
    assert found[0, 20] == 1
    assert found[150, 50] == 0


def test_dropping_saves_what_it_costs() -> None:
    """Files get smaller by more than their error grows, in logarithms, as a finer rounding would make them."""
    pixels = photo(256, 320)
    files = [nearest(pixels, FLAT), dct.coefficients(pixels, FLAT)]
    data = [jpeg.squeeze(baseline.jpeg_of(found, FLAT, (320, 256))) for found in files]
    assert len(data[1]) < len(data[0])
    errors = [np.mean((jpeg.decode(file)[0].astype(float) - pixels) ** 2) for file in data]
    assert errors[1] < 1.1 * errors[0]


@pytest.mark.parametrize("blocks", [0, 1])
def test_planes_without_coefficients(blocks: int) -> None:
    """A plane of zeros, or of no blocks at all, is no special case."""
    assert not rdoq.quantise(np.zeros((blocks, 64), np.float32)).any()
