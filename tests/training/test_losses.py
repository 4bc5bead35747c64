"""The loss of joint training."""

from __future__ import annotations

import torch

from batchcomp.metrics.objective import LossWeights
from batchcomp.training.losses import Coded, mixed_loss


def test_what_ssimulacra2_sees_costs_at_all_tables() -> None:
    """The gradient of fine and of coarse tables' pictures is another one with the weight."""
    x = torch.rand(2, 3, 192, 192, generator=torch.Generator().manual_seed(0))
    coarseness = torch.tensor([0.2, 4.0])
    slopes = []
    for share in (0.0, 0.9):
        restored = (x * 0.9 + 0.05).requires_grad_()
        coded = Coded(restored=restored, compact=x[..., ::2, ::2], bits=torch.zeros(2), coarseness=coarseness)
        losses = mixed_loss(x, coded, LossWeights(ssimulacra2=share))
        slopes.append(torch.autograd.grad(losses.total, restored)[0])
    assert not torch.allclose(slopes[0][0], slopes[1][0], rtol=0.1)
    assert not torch.allclose(slopes[0][1], slopes[1][1], rtol=0.1)
    assert slopes[1].isfinite().all()
