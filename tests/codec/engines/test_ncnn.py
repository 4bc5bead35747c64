"""ncnn computes what torch does, or is not used."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from batchcomp.codec import weights
from batchcomp.codec.device import Device
from batchcomp.codec.engines import reference, select
from batchcomp.codec.engines.torch import TorchCpu, to_floats
from batchcomp.models import MODELS
from tests.codec.engines.test_graphs import NETWORKS
from tests.codec.samples import PLAIN, model_of, moved, noise

pytest.importorskip("ncnn", reason="there is none for this platform")
from batchcomp.codec.engines import ncnn
from batchcomp.codec.engines.graphs import WINOGRAD_FROM, GraphPlan, residual_plan
from batchcomp.codec.engines.ncnn import TOLERANCE, ncnn_for


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("size", [(10, 14), (9, 7), (24, 1)])  # in units; odd ones shake ncnn's packing
def test_ncnn_computes_what_torch_does(name: str, size: tuple[int, int]) -> None:
    """Both nets, at several coarsenesses, to far less than a step of 8 bits."""
    model = model_of(NETWORKS[name]())
    for net, scale in ((model.com, 1), (model.rec, model.arch.scale)):
        engine = ncnn_for(net)
        assert engine is not None
        tile = noise(*(side * model.arch.unit // scale for side in size), 3)
        for log_coarseness in (-1.0, 0.3, 4.0):
            with torch.inference_mode():
                exact = net.module(to_floats(torch.from_numpy(tile[None])), torch.tensor([log_coarseness]))
            assert np.abs(engine.planes(tile, log_coarseness) - exact[0].numpy()).max() <= TOLERANCE


@pytest.mark.parametrize("name", MODELS)
def test_shipped_models_run_on_ncnn(name: str) -> None:
    """Both nets, and their pixels are torch's: exactly, or 1 off where rounding was close."""
    model = weights.load_shipped(name)
    for net in (model.com, model.rec):
        engine = select.choose(net, Device("cpu"))
        width = len(net.array("trunk.head.bias" if model.family == "residual" else "first.bias"))
        narrow = max(width, getattr(model.arch, "mid_width", 0)) < WINOGRAD_FROM
        assert engine.name == f"ncnn, {'exact' if net.exact else 'direct' if narrow else 'Winograd'}"
        tile = noise(1, 96, 64, 3)
        difference = engine.start(tile, [0.7]).astype(int) - TorchCpu(net.module).start(tile, [0.7])
        assert np.abs(difference).max() <= (0 if net.exact else 1)


def test_the_first_of_direct_convolutions_takes_whole_groups_of_inputs() -> None:
    """Those on top are zeros, for which direct kernels take less time than for a part of a group."""
    for name, first in (("fast", 64), ("default", 57)):
        net = weights.load_shipped(name).com
        plan = residual_plan(net)
        weight = next(layer.weight for layer in plan.graph.layers if layer.weight is not None)
        assert weight.shape[1] == first
        planes = plan.inputs((32, 32), 0.5)[0]
        assert 48 + len(planes) == first
        assert not planes[9:].any()


def test_a_graph_that_ncnn_computes_otherwise_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kernels that are wrong on this processor fall back to torch instead of computing wrong pixels."""
    net, right = model_of(moved(PLAIN)).rec, reference.run
    monkeypatch.setattr(reference, "run", lambda graph, inputs: right(graph, inputs) + 2 * TOLERANCE)
    assert ncnn_for(net) is None
    assert select.choose(net, Device("cpu")).name == "torch"


@pytest.mark.parametrize("name", ["fast", "default"])
def test_what_a_thread_ran_before_changes_nothing(name: str) -> None:
    """Its memory is kept for tiles of the same sides, and is not what the next one reads."""
    model = weights.load_shipped(name)
    engine, other = (ncnn_for(net) for net in (model.rec, model.com))
    assert engine is not None
    assert other is not None
    tile, larger = noise(1, 32, 48, 3), noise(1, 64, 64, 3)
    first = engine.start(tile, [0.7])
    for between in (lambda: engine.start(tile[:, ::-1], [2.0]), lambda: engine.start(larger, [0.7])):
        between()
        other.start(larger, [0.7])
        assert np.array_equal(engine.start(tile, [0.7]), first)
        assert np.array_equal(engine.start(tile, [0.7]), first)


def test_memory_is_kept_for_tiles_of_the_same_sides() -> None:
    """Runs at the same time have pools of their own; another graph or shape gets an empty one; what rests goes."""
    pools, use = ncnn._Pools(), (1, [(3, 64, 64)])
    first, second = pools.taken(*use), pools.taken(*use)
    assert first is not second
    pools.put_back(first)
    pools.put_back(second)
    assert pools.taken(1, [(3, 64, 32)]) is first
    assert first.used_for == (1, [(3, 64, 32)])
    pools.put_back(first)
    assert pools.taken(*use) is second
    pools.clear()
    assert pools.taken(1, [(3, 64, 32)]) is not first
    pools.put_back(second)
    assert pools.taken(*use) is second


def test_a_rest_gives_the_memory_of_idle_pools_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next tile is computed as before."""
    pools = ncnn._Pools()
    monkeypatch.setattr(ncnn, "_pools", pools)
    engine = ncnn.ncnn_for(model_of(moved(PLAIN)).com)
    assert engine is not None
    tile = noise(1, 64, 64, 3)
    expected = engine.start(tile, [1.0])
    assert len(pools._idle) == 1
    engine.rest()
    assert not pools._idle
    assert np.array_equal(engine.start(tile, [1.0]), expected)


def test_of_kernels_that_are_right_the_faster_ones_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that compute anything else on this processor never are."""
    net = weights.load_shipped("fast").rec
    times = {False: 1.0, True: 2.0}
    made: list[bool] = []

    class Timed(ncnn.Ncnn):
        def __init__(self, plan: GraphPlan, *, winograd: bool = False) -> None:
            super().__init__(plan, winograd=winograd)
            self.winograd = winograd
            made.append(winograd)

        def seconds(self) -> float:
            return times[self.winograd]

    monkeypatch.setattr(ncnn, "Ncnn", Timed)
    for faster in (False, True):
        times |= {faster: 1.0, not faster: 2.0}
        chosen = ncnn_for(net)
        assert isinstance(chosen, Timed)
        assert chosen.winograd is faster
    monkeypatch.setattr(Timed, "is_right", lambda self: not self.winograd)
    chosen = ncnn_for(net)  # though the others are said to be faster
    assert isinstance(chosen, Timed)
    assert chosen.winograd is False
    assert sorted(made) == 3 * [False] + 3 * [True]
