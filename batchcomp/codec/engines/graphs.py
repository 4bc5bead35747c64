"""The networks as ncnn graphs, made of a model file's numbers alone. One line in `BUILDERS` a family."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from batchcomp.codec.engines.base import Planes
from batchcomp.codec.engines.graph import Graph
from batchcomp.codec.model import COM, Net
from batchcomp.codec.networks.residual_shape import TrunkShape
from batchcomp.codec.networks.steered_shape import HALVING, MAX_SCALE, PERIOD, SteeredShape

Inputs = Callable[[tuple[int, int], float], Sequence[Planes]]  # of a tile's (height, width) and log2(coarseness)


@dataclass(frozen=True, kw_only=True)
class GraphPlan:
    """How a network runs through a graph.

    Attributes:
        graph: what ncnn computes; its first input is the tile (3, H, W) in [0, 1], its last output (3, H', W').
        inputs: the graph's further inputs.
        halving: by what the tile is scaled down and added to the graph's output; 0 where the graph is the network.
        unit: sides of the tiles are multiples of it.
    """

    graph: Graph
    inputs: Inputs
    halving: int
    unit: int


def residual_plan(net: Net) -> GraphPlan:
    """The residual family: a residual trunk, and a middle branch at half its resolution.

    Raises:
        ValueError: the trunk computes in whole numbers, which Winograd's kernels do not keep.
    """
    arch: Any = net.model.arch
    shape: TrunkShape = arch.com if net.role == COM else arch.rec
    if shape.exact:
        raise ValueError("an exact trunk makes no graph")
    graph = Graph(net.array)
    picture, planes = _head_of(graph, shape.unshuffle)
    widths = [shape.width] * shape.blocks + [shape.mid_width] * (shape.mid_blocks if shape.mid_width else 0)
    gains = [graph.add("Input") if shape.gains else None for _ in widths]
    head = h = graph.conv("trunk.head", planes)
    split = (shape.blocks + 1) // 2
    for number in range(shape.blocks):
        h = _block(graph, f"trunk.body.{number}", h, gains[number])
        if shape.mid_width and number + 1 == split:
            low = graph.conv("trunk.middle.down", graph.unshuffled(h, 2))
            for inner, gain in enumerate(gains[shape.blocks :]):
                low = _block(graph, f"trunk.middle.body.{inner}", low, gain)
            h = graph.sum_of(h, graph.shuffled(graph.conv("trunk.middle.up", low), 2))
    _tail(graph, graph.sum_of(head, h), net, shape.shuffle, picture)
    unit = max(shape.unshuffle * (2 if shape.mid_width else 1), shape.unshuffle * shape.period)
    inputs = _inputs(net, shape.unshuffle, shape.period, widths if shape.gains else [])
    return GraphPlan(graph=graph, inputs=inputs, halving=_halving(net), unit=unit)


def steered_plan(net: Net) -> GraphPlan:
    """The steered family: features scaled and shifted by what a residual net at half their resolution makes of them."""
    arch: Any = net.model.arch
    shape: SteeredShape = arch.com if net.role == COM else arch.rec
    graph = Graph(net.array)
    picture, planes = _head_of(graph, shape.unshuffle)
    gains = [graph.add("Input") for _ in range(shape.blocks)]
    features = graph.conv("trunk.head", planes)
    context = graph.conv("trunk.down", graph.unshuffled(features, HALVING))
    for number, gain in enumerate(gains):
        context = _block(graph, f"trunk.body.{number}", context, gain)
    bounded = graph.add("Clip", graph.conv("trunk.scale", context), parameters={0: 0.0, 1: MAX_SCALE})
    scale, shift = (graph.shuffled(one, HALVING) for one in (bounded, graph.conv("trunk.shift", context)))
    h = graph.add("ReLU", graph.sum_of(graph.product_of(features, scale), shift))
    for number in range(shape.render_blocks):
        h = _block(graph, f"trunk.render.{number}", h)
    _tail(graph, h, net, shape.shuffle, picture)
    inputs = _inputs(net, shape.unshuffle, PERIOD, [shape.body_width] * shape.blocks)
    return GraphPlan(graph=graph, inputs=inputs, halving=_halving(net), unit=shape.unshuffle * PERIOD)


def jiang2017_plan(net: Net) -> GraphPlan:
    """The family of 2017: plain layers, RecCNN's at full resolution."""
    arch: Any = net.model.arch
    graph = Graph(net.array)
    upscaled = picture = graph.add("Input")
    if net.role == COM:
        h = graph.conv("first", graph.less(picture, 0.5), relu=True)
        graph.conv("last", graph.conv("halving", h, relu=True, stride=arch.scale))
    else:
        upscaled = graph.enlarged(picture, arch.scale)
        h = graph.conv("first", graph.less(upscaled, 0.5), relu=True)
        for number in range(arch.layers - 2):
            h = graph.conv(f"inner.{number}", h, relu=True)
        graph.sum_of(upscaled, graph.conv("last", h))
    return GraphPlan(graph=graph, inputs=lambda _size, _level: [], halving=_halving(net), unit=arch.scale)


def _halving(net: Net) -> int:
    return net.model.arch.scale if net.role == COM and net.model.arch.scale > 1 else 0


def _head_of(graph: Graph, unshuffle: int) -> tuple[str, str]:
    """The picture, and what the first convolution sees of it; the second input are the planes that come on top."""
    picture, further = graph.add("Input"), graph.add("Input")
    planes = graph.unshuffled(graph.less(picture, 0.5), unshuffle)
    return picture, graph.add("Concat", planes, further, parameters={0: 0})


def _block(graph: Graph, name: str, x: str, gain: str | None = None) -> str:
    hidden = graph.conv(f"{name}.first", x, relu=True)
    hidden = hidden if gain is None else graph.product_of(hidden, gain)
    return graph.sum_of(x, graph.conv(f"{name}.second", hidden))


def _tail(graph: Graph, h: str, net: Net, shuffle: int, picture: str) -> None:
    residual = graph.shuffled(graph.conv("trunk.tail", h), shuffle)
    if not _halving(net):
        graph.sum_of(residual, graph.enlarged(picture, net.model.arch.scale))


def _inputs(net: Net, unshuffle: int, period: int, widths: Sequence[int]) -> Inputs:
    """The planes beside the picture, see `networks.base.input_planes`; then the gains of each block, see `Gains`."""
    cubic = (net.array("trunk.gains.cubic.weight"), net.array("trunk.gains.cubic.bias")) if widths else None

    def inputs(size: tuple[int, int], log_coarseness: float) -> list[Planes]:
        height, width = (side // unshuffle for side in size)
        level = np.float32(log_coarseness) / np.float32(3)
        planes = np.zeros((1 + 2 * period, height, width), np.float32)
        planes[0] = level
        for at in range(period):
            planes[1 + at, at::period] = 1
            planes[1 + period + at, :, at::period] = 1
        if cubic is None:
            return [planes]
        # sums of three, written out: a matrix product may round them in another order elsewhere
        weight, bias = cubic
        gains = weight[:, 0] * level + weight[:, 1] * level**2 + weight[:, 2] * level**3 + bias + 1
        return [planes, *(part.reshape(-1, 1, 1) for part in np.split(gains, np.cumsum(widths)[:-1]))]

    return inputs


BUILDERS: Final[Mapping[str, Callable[[Net], GraphPlan]]] = {  # by the name of the family
    "residual": residual_plan,
    "steered": steered_plan,
    "jiang2017": jiang2017_plan,
}
