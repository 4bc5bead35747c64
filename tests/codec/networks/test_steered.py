"""What the steered family's nets compute."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from batchcomp.codec import tiles, weights
from batchcomp.codec.engines.torch import TorchCpu
from batchcomp.codec.networks.steered import MAX_SCALE, SteeredNetwork
from batchcomp.codec.networks.steered_shape import SteeredArchitecture

TINY = SteeredArchitecture(width=8, body_width=16, com_blocks=1, rec_blocks=1)
ODD = SteeredArchitecture(width=12, body_width=20, com_blocks=2, rec_blocks=1, com_render_blocks=0, render_kernel=1)
ARCHITECTURES = [TINY, ODD, SteeredArchitecture()]


def moved(arch: SteeredArchitecture) -> SteeredNetwork:
    """Nets none of whose weights is where it started; strong enough for a missing halo pixel to show."""
    torch.manual_seed(1)
    network = SteeredNetwork(arch)
    with torch.no_grad():
        for name, value in network.named_parameters():
            value.add_((0.04 if "log_" not in name else 0.02) * torch.randn_like(value))
    return network.eval().requires_grad_(requires_grad=False)


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_a_file_brings_the_nets_back(arch: SteeredArchitecture) -> None:
    """The family and its numbers stand in the header."""
    network = moved(arch)
    again = weights.from_bytes(weights.to_bytes(network, half=False), "here").network
    assert again.arch == arch
    x = torch.rand(1, 3, 32, 48)
    assert torch.equal(again.com(x, torch.ones(1)), network.com(x, torch.ones(1)))


def test_untrained_nets_are_nearly_bicubic() -> None:
    """Training begins at bicubic resampling and JPEG, which the last convolutions hardly change."""
    network, x = SteeredNetwork(TINY).requires_grad_(requires_grad=False), torch.rand(1, 3, 64, 64)
    assert float(network.com.trunk(x, torch.zeros(1)).abs().mean()) < 0.01
    assert float(network.rec.trunk(x, torch.zeros(1)).abs().mean()) < 0.01


def test_the_scale_is_bounded() -> None:
    """Whatever the body says, a feature grows by no more than `MAX_SCALE` and never turns its sign."""
    trunk = moved(TINY).rec.trunk
    with torch.no_grad():
        trunk.scale.weight.mul_(1000)
        scale, _ = trunk._steering(torch.randn(1, 8, 8, 8), torch.zeros(1))
    assert float(scale.min()) == 0
    assert float(scale.max()) == MAX_SCALE


@pytest.mark.parametrize("arch", ARCHITECTURES)
@pytest.mark.parametrize("size", [(201, 130), (96, 333)])
def test_tiles_give_the_whole_pictures_result(arch: SteeredArchitecture, size: tuple[int, int]) -> None:
    """Seams and borders are exact to rounding for either net."""
    network, pixels = moved(arch), noise(*size, 3)
    geometry = [
        (network.com, {"unit": arch.unit, "up": 1, "down": 2, "halo": arch.com_halo}),
        (network.rec, {"unit": arch.unit // 2, "up": 2, "down": 1, "halo": arch.rec_halo // 2}),
    ]
    for net, plan in geometry:
        cut, whole = (
            tiles.Runner().run(TorchCpu(net), [pixels], [1.5], tiles.TilePlan(**plan, tile=tile))[0].astype(int)
            for tile in (32, 4096)
        )
        assert np.abs(cut - whole).max() <= 1
        assert (cut != whole).mean() < 1e-3


def test_tables_are_as_training_computes_them() -> None:
    """Entry k is exp(t_k) * coarseness^(1 + s_k), rounded."""
    network = moved(TINY)
    for coarseness in (0.3, 1.0, 9.0):
        smooth = network.log_tables_at(torch.tensor([coarseness]))[0].exp().numpy()
        assert np.array_equal(network.tables_at(coarseness), np.clip(np.rint(smooth), 1, 255))
