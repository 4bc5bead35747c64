"""The loss of joint training."""

from __future__ import annotations

from dataclasses import replace

import torch

from batchcomp.metrics.objective import PHASES, LossWeights, local_mean_error, seen_at
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


def test_errors_that_cancel_at_one_phase_of_the_metrics_grid_cost_at_others() -> None:
    """Means of 2 x 2 pixels hide a checkerboard at every phase, stripes two pixels wide only where they are halved."""
    x = torch.full((1, 3, 192, 192), 0.5) + 0.2 * torch.rand(1, 3, 192, 192, generator=torch.Generator().manual_seed(0))
    stripes = 0.1 * torch.tensor([1.0, -1.0, -1.0, 1.0]).repeat(48)
    coded = Coded(restored=x + stripes, compact=x[..., ::2, ::2], bits=torch.zeros(1), coarseness=torch.tensor([1.0]))
    found = {shift: float(mixed_loss(x, coded, LossWeights(), (0, shift)).one_minus_ms_ssim) for shift in (0, 1, 4, 5)}
    assert found[1] > 1.1 * found[0]
    assert abs(found[4] / found[0] - 1) < abs(found[1] / found[0] - 1) / 2
    assert abs(found[5] / found[1] - 1) < abs(found[1] / found[0] - 1) / 2


def test_a_phase_leaves_rows_and_columns_out() -> None:
    """The same number at each phase, so that all see as much."""
    x = torch.arange(16.0 * 20).view(1, 1, 16, 20)
    assert torch.equal(seen_at(x, (0, 0)), x[:, :, : 16 - PHASES, : 20 - PHASES])
    assert torch.equal(seen_at(x, (3, PHASES - 1)), x[:, :, 3 : 19 - PHASES, PHASES - 1 : 19])


def test_a_compact_picture_that_pales_costs_more() -> None:
    """At half size and at full size; what sharpens it within 16 pixels costs nothing."""
    x = torch.rand(1, 3, 12, 12, generator=torch.Generator().manual_seed(0)).repeat_interleave(16, 2)
    x = x.repeat_interleave(16, 3)
    checks = 0.1 * (torch.arange(192).view(-1, 1) + torch.arange(192)).remainder(2).sub(0.5)
    for compact, sharper in ((x[..., ::2, ::2], checks[:96, :96]), (x, checks)):
        assert float(local_mean_error(x, compact)) < 1e-5
        assert float(local_mean_error(x, compact + sharper)) < 1e-5
        paler, palest = (float(local_mean_error(x, 0.5 + gain * (compact - 0.5))) for gain in (0.9, 0.8))
        assert 0.01 < paler < palest
        coded = Coded(restored=x, compact=compact, bits=torch.zeros(1), coarseness=torch.ones(1))
        pale = replace(coded, compact=0.5 + 0.8 * (compact - 0.5))
        weights = LossWeights(range=0)
        costs = mixed_loss(x, pale, weights).total - mixed_loss(x, coded, weights).total
        assert torch.isclose(costs, torch.tensor(weights.compact_mean * palest), rtol=1e-3)
