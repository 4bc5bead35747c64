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
from batchcomp.codec.whole_numbers import (
    BYTES,
    EXACT_SCALE,
    FINEST_BYTES,
    GAIN_STEPS,
    PIXEL_MIDDLE,
    PIXEL_STEPS,
    WIDE,
    gains_at,
)

WINOGRAD_FROM: Final = 48  # channels of the widest layer: with fewer, direct convolutions take as long or a tenth less
CHANNELS: Final = 16  # that direct kernels take at once; what a first layer has over costs a seventh of its network

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
    writer = (_Exact if shape.exact else _Rounded)(graph, net, shape)
    names = [f"trunk.body.{number}" for number in range(shape.blocks)]
    names += [f"trunk.middle.body.{number}" for number in range(shape.mid_blocks if shape.mid_width else 0)]
    if shape.exact:
        _check_bytes(graph, names, shape)
    head = h = writer.head()
    gains = [graph.add("Input") if shape.gains else None for _ in names]
    split = (shape.blocks + 1) // 2
    for number in range(shape.blocks):
        h = writer.block(names[number], h, gains[number])
        if shape.mid_width and number + 1 == split:
            low = writer.conv("trunk.middle.down", graph.unshuffled(h, 2))
            for name, gain in zip(names[shape.blocks :], gains[shape.blocks :], strict=True):
                low = writer.block(name, low, gain)
            h = graph.sum_of(h, graph.shuffled(writer.conv("trunk.middle.up", low), 2))
    writer.tail(graph.sum_of(head, h))
    unit = max(shape.unshuffle * (2 if shape.mid_width else 1), shape.unshuffle * shape.period)
    inputs = _inputs(net, shape, names if shape.gains else [])
    return GraphPlan(graph=graph, inputs=inputs, halving=_halving(net), unit=unit, exact=shape.exact)


def _check_bytes(graph: Graph, blocks: Sequence[str], shape: TrunkShape) -> None:
    """Raise ValueError where kernels might make other bytes of a value than `whole_numbers.to_bytes` does."""
    gains = GAIN_STEPS if shape.gains else 1
    finest = [graph.parts_of(f"{name}.first", BYTES) * gains / graph.steps_of(f"{name}.second") for name in blocks]
    ends = ["trunk.middle.down", "trunk.middle.up"] if shape.mid_width else []
    carried = [graph.parts_of(name, BYTES) for name in [*(f"{name}.second" for name in blocks), *ends]]
    steps = [graph.steps_of(name) for name in [*(f"{name}.first" for name in blocks), *ends]]
    finest.append(max(*carried, graph.parts_of("trunk.head", WIDE)) / min(steps))
    if max(finest) > FINEST_BYTES:
        raise ValueError(f"what becomes bytes has {max(finest):g} parts of a step, more than {FINEST_BYTES}")


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


class _Rounded:
    """Writes the parts of a trunk."""

    def __init__(self, graph: Graph, net: Net, shape: TrunkShape) -> None:
        self.graph, self._net, self._shape = graph, net, shape
        self._picture = ""

    def head(self) -> str:
        """The first convolution of the picture; the graph's second input are the planes that come on top."""
        graph = self.graph
        self._picture, further = graph.add("Input"), graph.add("Input")
        planes = graph.unshuffled(graph.less(self._picture, 0.5), self._shape.unshuffle)
        return graph.conv(
            "trunk.head", graph.add("Concat", planes, further, parameters={0: 0}), more=_lacking(self._shape)
        )

    def conv(self, name: str, x: str) -> str:
        return self.graph.conv(name, x)

    def block(self, name: str, x: str, gain: str | None = None) -> str:
        graph = self.graph
        hidden = graph.conv(f"{name}.first", x, relu=True)
        hidden = hidden if gain is None else graph.product_of(hidden, gain)
        return graph.sum_of(x, graph.conv(f"{name}.second", hidden))

    def tail(self, h: str) -> None:
        """The answer, or what is added to the smaller picture where the network halves it."""
        residual = self.graph.shuffled(self.graph.conv("trunk.tail", h), self._shape.shuffle)
        if not _halving(self._net):
            self.graph.sum_of(residual, self.graph.enlarged(self._picture, self._net.model.arch.scale))


class _Exact(_Rounded):
    """Writes those of a trunk that computes in whole numbers.

    What the trunk carries is in steps of the tail's grid, powers of two like all steps: nothing is rounded by it.
    """

    def __init__(self, graph: Graph, net: Net, shape: TrunkShape) -> None:
        super().__init__(graph, net, shape)
        self._unit = graph.steps_of("trunk.tail")

    def head(self) -> str:
        """The picture is in whole numbers around 0: 256ths. The planes on top come on the grid."""
        graph = self.graph
        given, further = graph.add("Input"), graph.add("Input")
        self._picture = graph.less(given, PIXEL_MIDDLE)
        pixels = graph.unshuffled(self._picture, self._shape.unshuffle)
        if (steps := graph.steps_of("trunk.head")) != PIXEL_STEPS:
            raise ValueError(f"the first convolution sees {steps:g}ths, not {PIXEL_STEPS}ths")
        seen = graph.add("Concat", pixels, further, parameters={0: 0})
        return graph.wide_conv("trunk.head", seen, by=self._unit)

    def conv(self, name: str, x: str) -> str:
        return self.graph.byte_conv(name, x, held=self._unit, by=self._unit)

    def block(self, name: str, x: str, gain: str | None = None) -> str:
        graph = self.graph
        hidden = graph.byte_conv(f"{name}.first", x, held=self._unit, relu=True)
        hidden = hidden if gain is None else graph.product_of(hidden, gain)
        return graph.sum_of(x, graph.byte_conv(f"{name}.second", hidden, by=self._unit))

    def tail(self, h: str) -> None:
        """The pixels, whole numbers from -128 to 127: added up and rounded while they are channels of blocks."""
        graph, unshuffle = self.graph, self._shape.unshuffle
        seen = graph.clipped(graph.rounded(h), -WIDE.inputs, WIDE.inputs)
        residual = graph.wide_conv("trunk.tail", seen, by=PIXEL_STEPS)
        doubles = self._net.model.arch.scale == EXACT_SCALE
        enlarged = (graph.doubled if doubles else graph.unshuffled)(self._picture, unshuffle)
        pixels = graph.clipped(graph.rounded(graph.sum_of(enlarged, residual)), -PIXEL_MIDDLE, 255 - PIXEL_MIDDLE)
        graph.shuffled(pixels, self._shape.shuffle)


def _lacking(shape: TrunkShape) -> int:
    """Inputs that the first of direct convolutions lacks to whole groups of `CHANNELS`."""
    widest = max(shape.width, shape.mid_width)
    return 0 if shape.exact or widest >= WINOGRAD_FROM else -shape.planes % CHANNELS


def _inputs(net: Net, shape: TrunkShape, blocks: Sequence[str]) -> Inputs:
    """The planes beside the picture, see `networks.base.input_planes`; then the gains of `blocks`, see `Gains`.

    The former end with planes of zeros where the first layer is to have whole groups of `CHANNELS`.
    """
    more = _lacking(shape)
    strengths = (_exact_gains if shape.exact else _gains)(net, blocks) if blocks else None
    unshuffle, period = shape.unshuffle, shape.period
    steps = np.float32(Graph(net.array).steps_of("trunk.head")) if shape.exact else None

    def inputs(size: tuple[int, int], log_coarseness: float) -> list[Planes]:
        height, width = (side // unshuffle for side in size)
        planes = np.zeros((1 + 2 * period + more, height, width), np.float32)
        planes[0] = np.float32(log_coarseness) / np.float32(3)
        for at in range(period):
            planes[1 + at, at::period] = 1
            planes[1 + period + at, :, at::period] = 1
        if steps is not None:
            planes = np.clip(np.rint(planes * steps), -WIDE.inputs, WIDE.inputs)
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
    """The same in whole 512ths."""
    weight, bias = net.array("trunk.gains.cubic.weight"), net.array("trunk.gains.cubic.bias")
    ends = np.cumsum([len(net.array(f"{name}.first.bias")) for name in blocks])[:-1]

    def gains(log_coarseness: float) -> list[Planes]:
        return [part.reshape(-1, 1, 1) for part in np.split(gains_at(weight, bias, log_coarseness), ends)]

    return gains


BUILDERS: Final[Mapping[str, Callable[[Net], GraphPlan]]] = {  # by the name of the family
    "residual": residual_plan,
    "jiang2017": jiang2017_plan,
}
