"""A larger network that grows out of a trained one begins where that one ended."""

from __future__ import annotations

import pytest
import torch

from batchcomp.codec.networks import untrained
from batchcomp.codec.networks.jiang2017 import Jiang2017Architecture, Jiang2017Network
from batchcomp.codec.networks.residual import ResidualNetwork
from batchcomp.codec.networks.residual_shape import ResidualArchitecture
from batchcomp.errors import TrainingError
from batchcomp.training.grow import begin_with, grow, sources

SMALL = ResidualArchitecture(com_width=8, com_blocks=1, rec_width=8, rec_blocks=2)


def trained(arch: ResidualArchitecture) -> ResidualNetwork:
    """Nets whose every weight has moved."""
    torch.manual_seed(3)
    network = ResidualNetwork(arch)
    with torch.no_grad():
        for value in network.parameters():
            value.add_(0.05 * torch.randn_like(value))
    return network


def outputs(network: ResidualNetwork) -> list[torch.Tensor]:
    x, log_coarseness = torch.rand(2, 3, 32, 48, generator=torch.Generator().manual_seed(1)), torch.tensor([-1.0, 2.0])
    with torch.no_grad():
        return [
            network.com(x, log_coarseness),
            network.rec(x, log_coarseness),
            network.log_tables_at(log_coarseness.exp2()),
        ]


def test_a_grown_network_computes_what_the_trained_one_did() -> None:
    """More blocks, a middle branch, gains, bands and the block's grid change nothing before they have learned."""
    wide = ResidualArchitecture(
        com_width=8,
        com_blocks=2,
        rec_width=8,
        rec_blocks=4,
        mid_width=8,
        com_mid_blocks=1,
        rec_mid_blocks=1,
        gains=True,
        bands=True,
        phases=True,
    )
    source, target = trained(SMALL), ResidualNetwork(wide)
    grow(target, source)
    for before, after in zip(outputs(source), outputs(target), strict=True):
        assert torch.allclose(before, after, atol=1e-5)


def test_a_shorter_network_keeps_blocks_spread_over_the_depth() -> None:
    """First and last block stay, those between are thinned out."""
    assert sources(3, 5) == [0, 2, 4]
    assert sources(1, 3) == [0]
    assert sources(3, 2) == [0, 1, None]


def test_other_widths_cannot_grow() -> None:
    """Channels have no place in a network of another width."""
    with pytest.raises(TrainingError, match="widths"):
        grow(ResidualNetwork(ResidualArchitecture(com_width=16, rec_width=8)), trained(SMALL))


def test_a_network_begins_with_one_of_its_own_architecture() -> None:
    """Of any family, weight for weight; the residual family grows as well."""
    arch = Jiang2017Architecture(width=8, layers=4)
    source, target = Jiang2017Network(arch), Jiang2017Network(arch)
    begin_with(target, source)
    assert all(torch.equal(a, b) for a, b in zip(source.parameters(), target.parameters(), strict=True))
    small, larger = trained(SMALL), ResidualNetwork(ResidualArchitecture(com_width=8, rec_width=8, gains=True))
    begin_with(larger, small)
    assert torch.equal(larger.com.trunk.tail.weight, small.com.trunk.tail.weight)


@pytest.mark.parametrize("source", [ResidualArchitecture(), Jiang2017Architecture(width=16, layers=4)])
def test_other_architectures_are_no_beginning(source: ResidualArchitecture | Jiang2017Architecture) -> None:
    """What cannot be copied is an error."""
    with pytest.raises(TrainingError, match="cannot grow into"):
        begin_with(Jiang2017Network(Jiang2017Architecture(width=8, layers=4)), untrained(source))
