"""Float networks that become exact ones."""

from __future__ import annotations

import math
from dataclasses import replace

import torch

from batchcomp.codec.networks.exact import ExactConv2d
from batchcomp.codec.networks.residual import ResidualNetwork
from batchcomp.codec.whole_numbers import INPUT_LIMIT, PIXEL_STEPS
from batchcomp.training.exact import fit_grids, is_exact
from batchcomp.training.grow import begin_with
from tests.codec.networks.test_residual import MIDDLE, moved


def test_grids_reach_what_the_convolutions_saw_and_no_further() -> None:
    floating = moved(MIDDLE)
    torch.manual_seed(0)
    network = ResidualNetwork(replace(MIDDLE, exact=True))
    begin_with(network, floating)
    x, coarseness = torch.rand(2, 3, 64, 64), torch.tensor([0.5, 4.0])
    seen: dict[str, float] = {}
    fit_grids(network, floating, [(x, coarseness)])
    handles = [
        module.register_forward_pre_hook(
            lambda _module, inputs, name=name: seen.update({name: float(inputs[0].abs().max())})  # type: ignore[misc]
        )
        for name, module in network.rec.named_modules()
        if isinstance(module, ExactConv2d)
    ]
    with torch.no_grad():
        restored = network.rec(network.com(x, torch.log2(coarseness)), torch.log2(coarseness))
        expected = floating.rec(floating.com(x, torch.log2(coarseness)), torch.log2(coarseness))
    assert len(handles) == len(seen) > 5
    for name, module in network.rec.named_modules():
        if isinstance(module, ExactConv2d) and name != "trunk.head":
            reach = INPUT_LIMIT / module.grid.steps
            assert reach / 4 < seen[name] < reach * 1.5
            assert math.log2(module.grid.steps) % 1 == 0
    assert network.rec.trunk.head.grid.steps == PIXEL_STEPS
    assert float((restored - expected).abs().mean()) < 0.01


def test_an_exact_network_is_told_from_a_floating_one() -> None:
    assert is_exact(ResidualNetwork(replace(MIDDLE, exact=True)))
    assert not is_exact(ResidualNetwork(MIDDLE))
