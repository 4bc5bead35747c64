"""RDOQ in torch drops the very coefficients that the encoder drops."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from batchcomp.codec.dct import ZIGZAG
from batchcomp.codec.rdoq import quantise
from batchcomp.training.rdoq_torch import Quantiser, quantiser


def planes(blocks: int) -> np.ndarray:
    """Coefficients (5, blocks, 64) of several strengths, in zigzag order, the last plane all but empty."""
    rng = np.random.default_rng(blocks)
    falling = 8 / (1 + np.arange(64.0)) ** np.array([0.3, 0.6, 0.9, 1.2, 3.0]).reshape(5, 1, 1)
    return rng.laplace(0, falling * np.exp(rng.normal(-1, 0.7, (5, blocks, 64)))).astype(np.float32)


@pytest.mark.parametrize("blocks", [1, 64, 1024])
def test_it_is_the_encoders(blocks: int) -> None:
    scaled = planes(blocks)
    expected = np.stack([quantise(plane) for plane in scaled])
    found = Quantiser(torch.device("cpu"))(torch.from_numpy(scaled)).numpy()
    assert np.array_equal(found, expected)
    assert blocks == 1 or not np.array_equal(expected, np.rint(scaled))


def test_row_by_row() -> None:
    scaled = planes(16)
    row_by_row = np.empty_like(scaled)
    row_by_row[..., ZIGZAG] = scaled
    found = quantiser(torch.device("cpu")).natural(torch.from_numpy(row_by_row).view(1, 5, 16, 64)).numpy()[0]
    assert np.array_equal(found[..., ZIGZAG], np.stack([quantise(plane) for plane in scaled]))
