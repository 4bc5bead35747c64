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
from batchcomp.codec.whole_numbers import EXACT_SCALE, PIXEL_MIDDLE, PIXEL_STEPS, gains_at

Inputs = Callable[[tuple[int, int], float], Sequence[Planes]]  # of a tile's (height, width) and log2(coarseness)


@dataclass(frozen=True, kw_only=True)
class GraphPlan:
    """How a network runs through a graph.

    Attributes:
        graph: what ncnn computes; its first input is the tile (3, H, W) in [0, 1], its last output (3, H', W').
        inputs: the graph's further inputs.
        halving: by what the tile is scaled down and added to the graph's output; 0 where the graph is the network.
        unit: sides of the tiles are multiples of it.
        exact: whether it computes in whole numbers: the tile is one of them from 0 to 255, the output from -128 to 127,
            and no kernel may be used whose products are not those of the convolution.
    """

    graph: Graph
    inputs: Inputs
    halving: int
    unit: int
    exact: bool = False


def residual_plan(net: Net) -> GraphPlan:
    """The residual family: a residual trunk, and a middle branch at half its resolution."""
    arch: Any = net.model.arch
    shape: TrunkShape = arch.com if net.role == COM else arch.rec
    graph = Graph(net.array)
    conv, block = (graph.exact_conv, _exact_block) if shape.exact else (graph.conv, _block)
    picture, planes = (_exact_head_of if shape.exact else _head_of)(graph, shape.unshuffle)
    names = [f"trunk.body.{number}" for number in range(shape.blocks)]
    names += [f"trunk.middle.body.{number}" for number in range(shape.mid_blocks if shape.mid_width else 0)]
    gains = [graph.add("Input") if shape.gains else None for _ in names]
    head = h = conv("trunk.head", planes)
    split = (shape.blocks + 1) // 2
    for number in range(shape.blocks):
        h = block(graph, names[number], h, gains[number])
        if shape.mid_width and number + 1 == split:
            low = conv("trunk.middle.down", graph.unshuffled(h, 2))
            for name, gain in zip(names[shape.blocks :], gains[shape.blocks :], strict=True):
                low = block(graph, name, low, gain)
            h = graph.sum_of(h, graph.shuffled(conv("trunk.middle.up", low), 2))
    (_exact_tail if shape.exact else _tail)(graph, graph.sum_of(head, h), net, shape.shuffle, picture)
    unit = max(shape.unshuffle * (2 if shape.mid_width else 1), shape.unshuffle * shape.period)
    inputs = _inputs(net, shape.unshuffle, shape.period, names if shape.gains else [], exact=shape.exact)
    return GraphPlan(graph=graph, inputs=inputs, halving=_halving(net), unit=unit, exact=shape.exact)


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


def _exact_head_of(graph: Graph, unshuffle: int) -> tuple[str, str]:
    """The picture in whole numbers around 0, and what the first convolution sees of it, in steps of its grid."""
    picture, further = graph.add("Input"), graph.add("Input")
    centred = graph.less(picture, PIXEL_MIDDLE)
    pixels = graph.times(graph.unshuffled(centred, unshuffle), 1 / PIXEL_STEPS)
    return centred, graph.add("Concat", pixels, further, parameters={0: 0})


def _exact_block(graph: Graph, name: str, x: str, gain: str | None = None) -> str:
    """Gains come in steps of the grid that their product is rounded to."""
    hidden = graph.exact_conv(f"{name}.first", x, relu=True)
    hidden = hidden if gain is None else graph.product_of(hidden, gain)
    return graph.sum_of(x, graph.exact_conv(f"{name}.second", hidden, scaled=gain is not None))


def _exact_tail(graph: Graph, h: str, net: Net, shuffle: int, picture: str) -> None:
    """The pixels, whole numbers from -128 to 127."""
    residual = graph.shuffled(graph.exact_conv("trunk.tail", h, by=PIXEL_STEPS), shuffle)
    enlarged = graph.doubled(picture) if net.model.arch.scale == EXACT_SCALE else picture
    graph.clipped(graph.rounded(graph.sum_of(enlarged, residual)), -PIXEL_MIDDLE, 255 - PIXEL_MIDDLE)


def _block(graph: Graph, name: str, x: str, gain: str | None = None) -> str:
    hidden = graph.conv(f"{name}.first", x, relu=True)
    hidden = hidden if gain is None else graph.product_of(hidden, gain)
    return graph.sum_of(x, graph.conv(f"{name}.second", hidden))


def _tail(graph: Graph, h: str, net: Net, shuffle: int, picture: str) -> None:
    residual = graph.shuffled(graph.conv("trunk.tail", h), shuffle)
    if not _halving(net):
        graph.sum_of(residual, graph.enlarged(picture, net.model.arch.scale))


def _inputs(net: Net, unshuffle: int, period: int, blocks: Sequence[str], *, exact: bool = False) -> Inputs:
    """The planes beside the picture, see `networks.base.input_planes`; then the gains of `blocks`, see `Gains`."""
    strengths = (_exact_gains if exact else _gains)(net, blocks) if blocks else None

    def inputs(size: tuple[int, int], log_coarseness: float) -> list[Planes]:
        height, width = (side // unshuffle for side in size)
        planes = np.zeros((1 + 2 * period, height, width), np.float32)
        planes[0] = np.float32(log_coarseness) / np.float32(3)
        for at in range(period):
            planes[1 + at, at::period] = 1
            planes[1 + period + at, :, at::period] = 1
        return [planes, *(strengths(log_coarseness) if strengths else [])]

    return inputs


def _gains(net: Net, blocks: Sequence[str]) -> Callable[[float], list[Planes]]:
    """The gains of each block (C, 1, 1) at log2(coarseness)."""
    weight, bias = net.array("trunk.gains.cubic.weight"), net.array("trunk.gains.cubic.bias")
    ends = np.cumsum([len(net.array(f"{name}.first.bias")) for name in blocks])[:-1]

    def gains(log_coarseness: float) -> list[Planes]:
        level = np.float32(log_coarseness) / np.float32(3)
        # sums of three, written out: a matrix product may round them in another order elsewhere
        found = weight[:, 0] * level + weight[:, 1] * level**2 + weight[:, 2] * level**3 + bias + 1
        return [part.reshape(-1, 1, 1) for part in np.split(found, ends)]

    return gains


def _exact_gains(net: Net, blocks: Sequence[str]) -> Callable[[float], list[Planes]]:
    """The same in whole numbers, times the steps of the grid that what they scale is rounded to."""
    weight, bias = net.array("trunk.gains.cubic.weight"), net.array("trunk.gains.cubic.bias")
    ends = np.cumsum([len(net.array(f"{name}.first.bias")) for name in blocks])[:-1]
    steps = [np.float32(2.0 ** round(float(net.array(f"{name}.second.grid.exponent")))) for name in blocks]

    def gains(log_coarseness: float) -> list[Planes]:
        parts = np.split(gains_at(weight, bias, log_coarseness), ends)
        return [part.reshape(-1, 1, 1) * step for part, step in zip(parts, steps, strict=True)]

    return gains


BUILDERS: Final[Mapping[str, Callable[[Net], GraphPlan]]] = {  # by the name of the family
    "residual": residual_plan,
    "jiang2017": jiang2017_plan,
}
