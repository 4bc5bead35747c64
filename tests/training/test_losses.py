"""The loss of joint training."""

from __future__ import annotations

import pytest
import torch

from batchcomp.metrics.objective import LossWeights, ssimulacra2_share
from batchcomp.training.losses import Coded, mixed_loss


def test_what_ssimulacra2_sees_costs_at_fine_tables() -> None:
    """The gradient reaches the pictures of fine tables with the weight, and those of coarse ones without it."""
    x = torch.rand(2, 3, 192, 192, generator=torch.Generator().manual_seed(0))
    coarseness = torch.tensor([0.2, 4.0])
    slopes = []
    for share in (0.0, 0.9):
        restored = (x * 0.9 + 0.05).requires_grad_()
        coded = Coded(restored=restored, compact=x[..., ::2, ::2], bits=torch.zeros(2), coarseness=coarseness)
        losses = mixed_loss(x, coded, LossWeights(ssimulacra2=share))
        slopes.append(torch.autograd.grad(losses.total, restored)[0])
    assert torch.equal(slopes[0][1], slopes[1][1])
    assert not torch.allclose(slopes[0][0], slopes[1][0], rtol=0.1)
    assert slopes[1].isfinite().all()


def test_where_ssimulacra2_counts_is_a_setting() -> None:
    """All of its share up to one coarseness, none from another on; by default at fine tables only."""
    coarseness = torch.tensor([0.2, 0.4, 1.0, 9.0])
    assert ssimulacra2_share(coarseness, LossWeights()).tolist() == pytest.approx([0.2, 0.2, 0, 0])
    throughout = LossWeights(ssimulacra2=0.6, ssimulacra2_full=20.0, ssimulacra2_none=40.0)
    assert ssimulacra2_share(coarseness, throughout).tolist() == pytest.approx([0.6] * 4)
