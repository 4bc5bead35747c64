"""Gaussian windows as banded products."""

from __future__ import annotations

import pytest
import torch

from batchcomp.metrics.windows import blur, blur_back


@pytest.mark.parametrize("size", [(11, 11), (42, 43), (75, 140)])
def test_blur_back_is_the_adjoint_of_blur(size: tuple[int, int]) -> None:
    """<blur(a), b> = <a, blur_back(b)>, for one block, a whole number of blocks and some more."""
    height, width = size
    a, b = torch.rand(height, 2, width).double(), torch.rand(height - 10, 2, width - 10).double()
    assert float((blur(a) * b).sum()) == pytest.approx(float((a * blur_back(b)).sum()))
