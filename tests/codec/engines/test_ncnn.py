"""ncnn computes what torch does, or is not used."""

from __future__ import annotations

import pytest
import torch

from batchcomp.codec.engines import select
from batchcomp.codec.engines.base import to_floats
from batchcomp.codec.networks.residual_shape import ResidualArchitecture
from batchcomp.codec.networks.steered_shape import SteeredArchitecture
from tests.codec.networks import test_steered as steered
from tests.codec.samples import GROWN, PHASED, PLAIN, moved, noise

pytest.importorskip("ncnn", reason="needs the extra `fast`")
from batchcomp.codec.engines.ncnn import TOLERANCE, ncnn_for


@pytest.mark.parametrize("arch", [PLAIN, GROWN, PHASED])
@pytest.mark.parametrize("size", [(10, 14), (9, 7), (24, 1)])  # in units; odd ones shake ncnn's packing
def test_ncnn_computes_what_torch_does(arch: ResidualArchitecture, size: tuple[int, int]) -> None:
    """Both nets, with gains and the middle branch, at several coarsenesses, to far less than a step of 8 bits."""
    network = moved(arch)
    for net, unit in ((network.com, arch.unit), (network.rec, arch.unit // arch.scale)):
        engine = ncnn_for(net)
        assert engine is not None
        tile = torch.from_numpy(noise(1, size[0] * unit, size[1] * unit, 3))
        for log_coarseness in (-1.0, 0.3, 4.0):
            with torch.inference_mode():
                exact = net(to_floats(tile), torch.tensor([log_coarseness]))
                assert float((engine.floats(tile, log_coarseness) - exact).abs().max()) <= TOLERANCE


@pytest.mark.parametrize("arch", steered.ARCHITECTURES)
@pytest.mark.parametrize("size", [(10, 14), (9, 7), (24, 1)])
def test_ncnn_computes_the_steered_nets(arch: SteeredArchitecture, size: tuple[int, int]) -> None:
    """Both nets, with the scale at its bounds too."""
    network = steered.moved(arch)
    for net, unit in ((network.com, arch.unit), (network.rec, arch.unit // arch.scale)):
        engine = ncnn_for(net)
        assert engine is not None
        tile = torch.from_numpy(noise(1, size[0] * unit, size[1] * unit, 3))
        for log_coarseness in (-1.0, 0.3, 4.0):
            with torch.inference_mode():
                exact = net(to_floats(tile), torch.tensor([log_coarseness]))
                assert float((engine.floats(tile, log_coarseness) - exact).abs().max()) <= TOLERANCE


def test_a_graph_that_is_not_the_network_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """A network that has changed since the graph was written falls back to torch instead of computing wrong pixels."""
    network = moved(PLAIN)
    block = type(network.rec.trunk.body[0])
    assert select.choose(network.rec, torch.device("cpu")).name.startswith("ncnn")
    monkeypatch.setattr(block, "forward", lambda self, x, _gain=None: x + self.first(x))
    assert ncnn_for(network.rec) is None
    assert select.choose(network.rec, torch.device("cpu")).name == "torch"
