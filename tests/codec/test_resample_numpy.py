"""Bicubic resampling in numpy."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from batchcomp.codec.resample import downscale, upscale
from batchcomp.codec.resample_numpy import enlarged, reduced


@pytest.mark.parametrize("scale", [1, 2, 4])
@pytest.mark.parametrize("size", [(1, 1), (3, 50), (24, 25), (77, 101)])
def test_enlargement_is_torchs(scale: int, size: tuple[int, int]) -> None:
    """Bicubic in numpy equals torch's own, borders too."""
    x = torch.rand(3, *size)
    exact = upscale(x[None], scale)[0].numpy()
    assert np.abs(enlarged(x.numpy(), scale) - exact).max() <= 1e-6


@pytest.mark.parametrize("scale", [2, 4])
@pytest.mark.parametrize(
    "size", [(1, 1), (1, 40), (40, 1), (3, 50), (33, 25), (70, 101)]
)  # of the answer; strips are of 32 rows
def test_reduction_is_torchs(scale: int, size: tuple[int, int]) -> None:
    """Antialiased bicubic in numpy equals torch's own, borders and seams between strips too."""
    x = torch.rand(3, *(side * scale for side in size))
    exact = downscale(x[None], scale)[0].numpy()
    assert np.abs(reduced(x.numpy(), scale) - exact).max() <= 1e-6


def test_a_crop_is_reduced_as_the_whole() -> None:
    """Bit for bit, away from its borders: so tiles give the pixels of the whole picture."""
    x = torch.rand(3, 96, 64).numpy()
    assert np.array_equal(reduced(x[:, 16:80], 2)[:, 2:-2], reduced(x, 2)[:, 10:38])
