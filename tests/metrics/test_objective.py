"""The terms of the objective."""

from __future__ import annotations

import pytest
import torch

from batchcomp.codec.tables import COARSEST, FINEST
from batchcomp.metrics.objective import LossWeights, ms_ssim_share, ssimulacra2_share


def test_the_share_of_ms_ssim_is_full_at_the_coarsest_tables() -> None:
    """It is the fine one up to coarseness 0.7 and rises from there to the coarsest tables that there are."""
    shares = ms_ssim_share(torch.tensor([FINEST, 0.7, 0.9 * COARSEST, COARSEST]), LossWeights())
    assert shares.tolist()[:2] == pytest.approx([0.75, 0.75])
    assert 0.75 < shares[2] < shares[3]
    assert float(shares[3]) == pytest.approx(0.97)


def test_ssimulacra2_counts_at_fine_tables_alone() -> None:
    """Its share is whole up to coarseness 0.4 and gone from 1 on, falling evenly in log2 between."""
    shares = ssimulacra2_share(torch.tensor([0.15, 0.4, 0.4**0.5, 1.0, 9.0]), LossWeights(ssimulacra2=0.2))
    assert shares.tolist() == pytest.approx([0.2, 0.2, 0.1, 0, 0], abs=1e-6)
