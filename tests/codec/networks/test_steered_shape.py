"""What an architecture of the steered family says of its nets."""

from __future__ import annotations

import pytest
import torch

from batchcomp.codec.networks.steered_shape import SteeredArchitecture, kmacs
from tests.codec.networks.test_steered import ARCHITECTURES, moved


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_the_cost_is_what_the_convolutions_do(arch: SteeredArchitecture) -> None:
    """Multiply-accumulates a pixel, counted where they happen."""
    network, side, counted = moved(arch), 64, []

    def count(module: torch.nn.Module, _inputs: object, output: torch.Tensor) -> None:
        assert isinstance(module, torch.nn.Conv2d)
        counted.append(output.numel() * module.weight[0].numel() / side**2 / 1000)

    for module in network.modules():
        if isinstance(module, torch.nn.Conv2d):
            module.register_forward_hook(count)
    for net, expected, pixels in zip((network.com, network.rec), kmacs(arch), (side, side // 2), strict=True):
        counted.clear()
        net(torch.rand(1, 3, pixels, pixels), torch.zeros(1))
        assert sum(counted) == pytest.approx(expected)


def test_both_nets_cost_at_most_ten_thousand_products_a_pixel() -> None:
    """What the default may cost."""
    assert sum(kmacs(SteeredArchitecture())) <= 10


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_an_architecture_counts_its_parameters(arch: SteeredArchitecture) -> None:
    """The loader trusts this count before it builds anything."""
    assert arch.parameters == sum(value.numel() for value in moved(arch).state_dict().values())


@pytest.mark.parametrize(
    "numbers", [{"width": 0}, {"body_width": 513}, {"rec_blocks": 65}, {"render_kernel": 2}, {"com_blocks": True}]
)
def test_numbers_that_build_no_nets_are_refused(numbers: dict[str, int]) -> None:
    """A forged model file must not cost memory."""
    with pytest.raises(ValueError, match=r"expected|at most"):
        SteeredArchitecture(**numbers)
