"""Float networks that become exact ones."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from batchcomp.codec.networks.exact import ExactConv2d, rounded
from batchcomp.codec.networks.residual import ResidualNetwork
from batchcomp.codec.whole_numbers import PIXEL_STEPS
from batchcomp.training.exact import HEAD, begin, correct_means, equalise, fit_grids, is_exact, reaches
from batchcomp.training.grow import begin_with
from tests.codec.networks.test_residual import MIDDLE, moved

EXACT = replace(MIDDLE, exact=True)


def examples() -> list[tuple[Tensor, Tensor]]:
    torch.manual_seed(0)
    return [(torch.rand(2, 3, 64, 64), torch.tensor([0.5, 4.0]))]


def uneven() -> ResidualNetwork:
    """A network whose channels carry values of very different sizes, as training leaves them."""
    network = moved(MIDDLE)
    with torch.no_grad():
        factors = torch.logspace(-2, 0, len(network.rec.trunk.head.weight))
        network.rec.trunk.head.weight.mul_(factors.view(-1, 1, 1, 1))
        for block in network.rec.trunk.body:
            block.first.weight.mul_(factors.flip(0).view(-1, 1, 1, 1))
    return network


@torch.no_grad()
def restored(network: ResidualNetwork) -> Tensor:
    (x, coarseness), *_ = examples()
    level = torch.log2(coarseness)
    answer: Tensor = network.rec(network.com(x, level), level)
    return answer


def test_channels_are_made_alike_and_nothing_else_changes() -> None:
    network = uneven()
    before, seen = restored(network), reaches(network, examples())
    equalise(network.rec.trunk, seen)
    after = reaches(network, examples())
    assert torch.allclose(restored(network), before, atol=1e-5)
    for name in ("trunk.body.0.first", "trunk.body.0.second", "trunk.tail"):
        spread = [float(r.clamp_min(1e-3).log().std()) for r in (seen[name], after[name])]
        assert spread[1] < 0.8 * spread[0]


def test_grids_round_what_the_convolutions_see_with_the_least_error() -> None:
    floating, network = moved(MIDDLE), ResidualNetwork(EXACT)
    begin_with(network, floating)
    fit_grids(network, floating, examples())
    seen: dict[str, Tensor] = {}
    for name, module in floating.rec.named_modules():
        if isinstance(module, torch.nn.Conv2d):
            module.register_forward_pre_hook(
                lambda _module, inputs, name=name: seen.update({name: inputs[0]})  # type: ignore[misc]
            )
    reaches(floating, examples())
    checked = 0
    for name, module in network.rec.named_modules():
        if isinstance(module, ExactConv2d) and name != HEAD:
            exponent, limit, values = float(module.grid.exponent), module.grid.limit, seen[name]
            errors = [
                float((rounded(values, torch.tensor(2.0 ** (exponent + by)), limit) - values).square().sum())
                for by in (-1, 0, 1)
            ]
            assert errors[1] == min(errors)
            assert math.log2(module.grid.steps) % 1 == 0
            checked += 1
    assert checked > 5
    assert network.rec.trunk.head.grid.steps == PIXEL_STEPS


def test_an_exact_network_begins_close_to_the_float_one() -> None:
    """Closer than without making its channels alike; the float one stays as it was."""
    floating = uneven()
    before = {name: value.clone() for name, value in floating.state_dict().items()}
    network, plain = ResidualNetwork(EXACT), ResidualNetwork(EXACT)
    begin(network, floating, examples)
    begin_with(plain, floating)
    fit_grids(plain, floating, examples())
    expected = restored(floating)
    error, without = (float((restored(one) - expected).square().mean()) for one in (network, plain))
    assert error < 0.7 * without
    assert error < 1e-4
    assert all(torch.equal(value, before[name]) for name, value in floating.state_dict().items())


def means(network: ResidualNetwork) -> Tensor:
    """Of everything that its RecCNN's convolutions make of the examples."""
    found: list[Tensor] = []
    hooks = [
        module.register_forward_hook(lambda _module, _inputs, made: found.append(made.mean(dim=(0, 2, 3))))
        for module in network.rec.modules()
        if isinstance(module, torch.nn.Conv2d)
    ]
    reaches(network, examples())  # shows them
    for hook in hooks:
        hook.remove()
    return torch.cat(found)


def test_rounding_changes_no_channels_mean() -> None:
    floating = moved(MIDDLE)
    network = ResidualNetwork(EXACT)
    begin_with(network, floating)
    fit_grids(network, floating, examples())
    expected = means(floating)
    before = (means(network) - expected).abs().mean()
    correct_means(network, floating, examples)
    assert (means(network) - expected).abs().mean() < 0.1 * before


def test_an_exact_network_goes_on_as_it_is() -> None:
    start, network = ResidualNetwork(EXACT), ResidualNetwork(EXACT)
    begin(network, start, lambda: pytest.fail("nothing is to be fitted"))
    assert all(torch.equal(a, b) for a, b in zip(network.parameters(), start.parameters(), strict=True))


def test_an_exact_network_is_told_from_a_floating_one() -> None:
    assert is_exact(ResidualNetwork(EXACT))
    assert not is_exact(ResidualNetwork(MIDDLE))
