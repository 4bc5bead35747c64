"""The terms of the objective."""

from __future__ import annotations

import pytest
import torch

from batchcomp.codec.tables import COARSEST, FINEST
from batchcomp.metrics.objective import LossWeights, ms_ssim_share, rate_weight, weights_at, with_ssimulacra2
from batchcomp.metrics.ssimulacra2_torch import ssimulacra2_distance


def test_the_share_of_ms_ssim_is_full_at_the_coarsest_tables() -> None:
    """It is the fine one up to coarseness 0.7 and rises from there to the coarsest tables that there are."""
    shares = ms_ssim_share(torch.tensor([FINEST, 0.7, 0.9 * COARSEST, COARSEST]), LossWeights())
    assert shares.tolist()[:2] == pytest.approx([0.75, 0.75])
    assert 0.75 < shares[2] < shares[3]
    assert float(shares[3]) == pytest.approx(0.97)


def test_ssimulacra2_counts_at_every_coarseness_where_it_can_be_measured() -> None:
    """Its logarithm has its share of the distortion; smaller pictures than its scales need keep what they had."""
    x = torch.rand(1, 3, 160, 128, generator=torch.Generator().manual_seed(0))
    shown, distortion = (x * 0.9).requires_grad_(), torch.tensor([-4.0])
    found = with_ssimulacra2(distortion, shown, x, 0.6)
    expected = 0.4 * -4.0 + 0.6 * torch.log(ssimulacra2_distance(shown, x) + 0.01)
    assert found.tolist() == pytest.approx(expected.tolist())
    assert torch.autograd.grad(found.sum(), shown)[0].isfinite().all()
    small = x[..., :120]
    assert with_ssimulacra2(distortion, small * 0.9, small, 0.6) is distortion
    assert with_ssimulacra2(distortion, shown, x, 0.0) is distortion


def test_full_size_has_weights_of_its_own() -> None:
    """A bit buys as much at all of its rates; at half size it may cost the more the coarser the tables are."""
    coarse, fine = torch.tensor(4.0), torch.tensor(0.25)
    of_half, of_full = weights_at(2), weights_at(1)
    assert float(rate_weight(coarse, of_half.rate, of_half.rate_power)) == pytest.approx(1.6 * 4**0.85)
    assert float(rate_weight(coarse, of_full.rate, of_full.rate_power)) < 1.6 * float(
        rate_weight(fine, of_full.rate, of_full.rate_power)
    )
    assert of_half.ssimulacra2 == of_full.ssimulacra2 > 0
