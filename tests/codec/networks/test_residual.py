"""What the residual family's nets see and give."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from batchcomp.codec import tiles, weights
from batchcomp.codec.engines.torch import TorchCpu
from batchcomp.codec.networks.residual import ResidualNetwork
from batchcomp.codec.networks.residual_shape import ResidualArchitecture
from batchcomp.codec.tables import QUALITIES, quality_to_coarseness

PLAIN = ResidualArchitecture(com_width=8, com_blocks=1, rec_width=8, rec_blocks=1)


MIDDLE = ResidualArchitecture(
    com_width=8,
    com_blocks=1,
    rec_width=8,
    rec_blocks=2,
    mid_width=16,
    com_mid_blocks=1,
    rec_mid_blocks=2,
    gains=True,
    bands=True,
    phases=True,
)


def moved(arch: ResidualArchitecture) -> ResidualNetwork:
    """Nets none of whose weights is where it started; strong enough for a missing halo pixel to show."""
    torch.manual_seed(1)
    network = ResidualNetwork(arch)
    with torch.no_grad():
        for name, value in network.named_parameters():
            value.add_((0.04 if "log_" not in name else 0.02) * torch.randn_like(value))
    return network


@pytest.mark.parametrize("arch", [PLAIN, MIDDLE])
@pytest.mark.parametrize("size", [(201, 130), (96, 333)])
def test_tiles_give_the_whole_pictures_result(arch: ResidualArchitecture, size: tuple[int, int]) -> None:
    """Seams and borders are exact to rounding for either net, whatever its receptive field."""
    network = moved(arch)
    pixels = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    geometry = [
        (network.com, tiles.TilePlan(unit=arch.unit, up=1, down=arch.scale, halo=arch.com_halo, tile=32)),
        (
            network.rec,
            tiles.TilePlan(
                unit=arch.unit // arch.scale, up=arch.scale, down=1, halo=arch.rec_halo // arch.scale, tile=32
            ),
        ),
    ]
    for net, plan in geometry:
        whole = tiles.TilePlan(unit=plan.unit, up=plan.up, down=plan.down, halo=plan.halo, tile=4096)
        cut, uncut = (tiles.Runner().run(TorchCpu(net), [pixels], [1.5], p)[0].astype(int) for p in (plan, whole))
        assert np.abs(cut - uncut).max() <= 1
        assert (cut != uncut).mean() < 1e-3


def test_a_model_file_brings_back_gains_middle_branch_and_bands() -> None:
    """Every tensor survives the file; the tables in full precision."""
    network = moved(MIDDLE)
    again = weights.from_bytes(weights.to_bytes(network), "test").network
    assert again.arch == MIDDLE
    for name, value in network.state_dict().items():
        exact = value if "log_" in name else value.half().float()
        assert torch.equal(again.state_dict()[name], exact)


def test_gains_tell_qualities_apart() -> None:
    """The same input at two coarsenesses takes two ways through the nets, within one batch too."""
    network = moved(MIDDLE)
    x = torch.rand(1, 3, 32, 32)
    both = network.com(x.repeat(2, 1, 1, 1), torch.tensor([0.0, 3.0]))
    alone = network.com(x, torch.tensor([3.0]))
    assert torch.allclose(both[1:], alone, rtol=1e-4, atol=1e-4)
    assert not torch.allclose(both[0], both[1], atol=1e-3)


def test_bands_give_coarse_tables_another_shape() -> None:
    """Entry k is exp(t_k) * coarseness^(1 + s_k), as training computes it and as files hold it."""
    network = moved(MIDDLE)
    for quality in (QUALITIES.start, 50, QUALITIES.stop - 1):
        coarseness = quality_to_coarseness(quality)
        smooth = network.log_tables_at(torch.tensor([coarseness]))[0].exp().detach().numpy()
        assert np.array_equal(network.tables_at(coarseness), np.clip(np.rint(smooth), 1, 255))


def test_phases_tell_where_a_block_begins() -> None:
    """With them a shift by a whole block shifts the answer, one by half a block does not; without them both do."""
    for phases in (True, False):
        torch.manual_seed(0)
        network = ResidualNetwork(
            ResidualArchitecture(com_width=8, com_blocks=1, rec_width=8, rec_blocks=1, phases=phases)
        )
        with torch.no_grad():
            network.com.trunk.tail.weight.mul_(100)
            x, coarseness = torch.rand(1, 3, 128, 128), torch.zeros(1)
            answer = network.com(x, coarseness)[..., 24:40, 24:40]
            block = network.com(x.roll(16, dims=2), coarseness)[..., 32:48, 24:40]
            half = network.com(x.roll(8, dims=2), coarseness)[..., 28:44, 24:40]
        assert torch.allclose(block, answer, atol=1e-4)
        assert torch.allclose(half, answer, atol=1e-4) is not phases
