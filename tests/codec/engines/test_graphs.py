"""The networks as graphs: what torch computes, whatever the family, checked without ncnn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from batchcomp.codec.engines import reference
from batchcomp.codec.engines.base import to_planes
from batchcomp.codec.engines.graphs import BUILDERS
from batchcomp.codec.engines.torch import to_floats
from batchcomp.codec.networks import FAMILIES
from batchcomp.codec.networks.base import CodecNetwork
from batchcomp.codec.networks.jiang2017 import Jiang2017Architecture
from batchcomp.codec.networks.residual_shape import ResidualArchitecture
from batchcomp.codec.resample_numpy import reduced
from tests.codec.networks.test_jiang2017 import lively
from tests.codec.samples import GROWN, PHASED, PLAIN, model_of, moved, noise

FULL_SIZE = ResidualArchitecture(scale=1, com_width=8, com_blocks=1, rec_width=8, rec_blocks=2, gains=True, bands=True)
NETWORKS = {
    "plain": lambda: moved(PLAIN),
    "grown": lambda: moved(GROWN),
    "phased": lambda: moved(PHASED),
    "full size": lambda: moved(FULL_SIZE),
    "jiang2017": lambda: lively(Jiang2017Architecture(width=8, layers=4)).fused(),
}


def test_every_family_has_graphs() -> None:
    """So that none of them needs torch where ncnn is."""
    assert set(BUILDERS) == set(FAMILIES)


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("size", [(3, 5), (1, 1)])
def test_graphs_compute_what_torch_does(name: str, size: tuple[int, int]) -> None:
    """Both nets at several coarsenesses, to far less than a step of 8 bits."""
    network: CodecNetwork = NETWORKS[name]()
    model = model_of(network)
    for net, scale in ((model.com, 1), (model.rec, model.arch.scale)):
        plan = BUILDERS[model.family](net)
        tile = noise(*(side * model.arch.unit // scale for side in size), 3)
        for log_coarseness in (-1.0, 0.3, 4.0):
            with torch.inference_mode():
                exact = net.module(to_floats(torch.from_numpy(tile[None])), torch.tensor([log_coarseness]))[0].numpy()
            found = reference.run(plan.graph, [to_planes(tile), *plan.inputs(tile.shape[:2], log_coarseness)])
            found = found + reduced(to_planes(tile), plan.halving) if plan.halving else found
            assert found.shape == exact.shape
            assert np.abs(found - exact).max() <= 1e-5


def test_exact_graphs_hold_what_kernels_of_8_bits_take() -> None:
    """For all convolutions but the first, the last and the one that enlarges; in the file of weights too."""
    model = model_of(moved(replace(GROWN, exact=True)))
    graph = BUILDERS[model.family](model.rec).graph
    convolutions = [layer for layer in graph.layers if layer.weight is not None]
    of_bytes = [layer for layer in convolutions if layer.steps is not None]
    assert len(of_bytes) == len(convolutions) - 3
    for layer in of_bytes:
        weight, steps = layer.weight, layer.steps
        assert weight is not None
        assert steps is not None
        assert np.array_equal(weight, np.rint(weight))
        assert np.abs(weight).max() <= 127
        assert len(steps) == len(weight) + 1
        assert np.array_equal(np.log2(steps), np.rint(np.log2(steps)))
    stored = sum(layer.weight.size for layer in of_bytes if layer.weight is not None)
    assert (
        len(graph.weights)
        < 4 * sum(layer.weight.size for layer in convolutions if layer.weight is not None) - 2 * stored
    )
