"""Tiny nets whose residuals are large enough to matter."""

from __future__ import annotations

import pytest
import torch

from batchcomp.codec import weights
from batchcomp.codec.codec import Codec
from batchcomp.codec.networks.residual import ResidualNetwork
from batchcomp.codec.networks.residual_shape import ResidualArchitecture


def tiny_model(*, unshuffle: int = 4, seed: int = 0) -> weights.Model:
    torch.manual_seed(seed)
    network = ResidualNetwork(
        ResidualArchitecture(unshuffle=unshuffle, com_width=8, com_blocks=1, rec_width=8, rec_blocks=1)
    )
    with torch.no_grad():
        for trunk in (network.com.trunk, network.rec.trunk):
            trunk.tail.weight.mul_(20)
    return weights.from_bytes(weights.to_bytes(network), "tiny")


@pytest.fixture(scope="session")
def codec() -> Codec:
    return Codec(tiny_model())
