"""The decoder of a learned codec, to time beside ours."""

from __future__ import annotations

import pytest
import torch

from batchcomp.benchmark.hyperprior import M, macs_per_pixel, synthesis


def test_the_hyperprior_makes_pictures_at_its_published_cost() -> None:
    """16 pixels a latent in each direction; 43 kMAC a pixel as publications count, ours within 2 %."""
    with torch.inference_mode():
        assert synthesis()(torch.zeros(1, M, 3, 2)).shape == (1, 3, 48, 32)
    assert macs_per_pixel() / 1e3 == pytest.approx(42.6, abs=0.8)
