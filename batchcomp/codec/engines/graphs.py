"""The networks as ncnn graphs, and what stays with torch: resampling and unshuffling. One line in `BUILDERS` each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  (the name every torch reader expects)

from batchcomp.codec.engines.graph import Graph
from batchcomp.codec.networks.jiang2017 import SCALE, Jiang2017RecCNN
from batchcomp.codec.networks.residual import ComCNN, RecCNN, ResidualBlock, Trunk
from batchcomp.codec.networks.steered import MAX_SCALE, RenderBlock, SteeredComCNN, SteeredRecCNN, SteeredTrunk
from batchcomp.codec.networks.steered_shape import HALVING, PERIOD
from batchcomp.codec.resample import downscale, upscale_quickly

RunGraph = Callable[[Sequence[Tensor]], Tensor]  # inputs (C, h, w) to the last output, (C', h, w)


@dataclass(frozen=True, kw_only=True)
class GraphPlan:
    """How a network runs through a graph.

    Attributes:
        graph: what ncnn computes.
        apply: maps the running graph, pictures (1, 3, H, W) in [0, 1] and log2(coarseness) to the network's output.
        unit: sides of the pictures are multiples of it.
    """

    graph: Graph
    apply: Callable[[RunGraph, Tensor, float], Tensor]
    unit: int


def residual_plan(net: ComCNN | RecCNN) -> GraphPlan:
    """The trunk is the graph.

    Raises:
        ValueError: the net has another trunk.
    """
    trunk, resample = net.trunk, downscale if isinstance(net, ComCNN) else upscale_quickly
    if not isinstance(trunk, Trunk):
        raise ValueError("only a `Trunk` makes a graph")  # noqa: TRY004 - as for every net that makes none
    around = partial(resample, scale=net.scale)
    return GraphPlan(graph=trunk_graph(trunk), apply=_around_trunk(trunk, around), unit=trunk.unshuffle)


def steered_plan(net: SteeredComCNN | SteeredRecCNN) -> GraphPlan:
    """The trunk is the graph.

    Raises:
        ValueError: the net has another trunk.
    """
    trunk, resample = net.trunk, downscale if isinstance(net, SteeredComCNN) else upscale_quickly
    if not isinstance(trunk, SteeredTrunk):
        raise ValueError("only a `SteeredTrunk` makes a graph")  # noqa: TRY004 - as for every net that makes none
    around = partial(resample, scale=net.scale)
    unit = trunk.unshuffle * PERIOD
    return GraphPlan(graph=steered_graph(trunk), apply=_around_trunk(trunk, around), unit=unit)


def _around_trunk(
    trunk: Trunk | SteeredTrunk, resample: Callable[[Tensor], Tensor]
) -> Callable[[RunGraph, Tensor, float], Tensor]:
    """What stays with torch where the trunk is the graph: its inputs, pixel-shuffle and the resampled picture."""

    def apply(run: RunGraph, x: Tensor, log_coarseness: float) -> Tensor:
        planes = trunk.planes(x, torch.tensor([log_coarseness]))[0]
        residual = run([planes, *_gains(trunk, log_coarseness)])[None]
        return F.pixel_shuffle(residual, trunk.shuffle).add_(resample(x))

    return apply


def _block(graph: Graph, block: ResidualBlock | RenderBlock, x: str, gain: str | None = None) -> str:
    hidden = graph.conv(block.first, x, relu=True)
    return graph.sum_of(x, graph.conv(block.second, hidden if gain is None else graph.product_of(hidden, gain)))


def trunk_graph(trunk: Trunk) -> Graph:
    """The trunk between unshuffling and shuffling.

    Its inputs, b0 and on, are the planes (C, h, w) that the head sees and, where the trunk has gains, those of each
    block (channels, 1, 1); its last output is (3 shuffle^2, h, w).
    """
    graph = Graph()
    planes = graph.add("Input", [])
    gains = [graph.add("Input", []) if trunk.gains is not None else None for _ in trunk.widths]
    head = h = graph.conv(trunk.head, planes)
    split = (len(trunk.body) + 1) // 2
    for number, block in enumerate(trunk.body):
        h = _block(graph, block, h, gains[number])  # type: ignore[arg-type]
        if trunk.middle is not None and number + 1 == split:
            low = graph.conv(trunk.middle.down, graph.add("Reorg", [h], "0=2"))
            for inner, gain in zip(trunk.middle.body, gains[len(trunk.body) :], strict=True):
                low = _block(graph, inner, low, gain)  # type: ignore[arg-type]
            h = graph.sum_of(h, graph.add("PixelShuffle", [graph.conv(trunk.middle.up, low)], "0=2"))
    graph.conv(trunk.tail, graph.sum_of(head, h))
    return graph


def steered_graph(trunk: SteeredTrunk) -> Graph:
    """The trunk between unshuffling and shuffling, with inputs and output as those of `trunk_graph`."""
    graph = Graph()
    planes = graph.add("Input", [])
    gains = [graph.add("Input", []) for _ in trunk.widths]
    features = graph.conv(trunk.head, planes)
    context = graph.conv(trunk.down, graph.add("Reorg", [features], f"0={HALVING}"))
    for block, gain in zip(trunk.body, gains, strict=True):
        context = _block(graph, block, context, gain)  # type: ignore[arg-type]
    bounded = graph.add("Clip", [graph.conv(trunk.scale, context)], f"0=0.0 1={MAX_SCALE}")
    scale, shift = (
        graph.add("PixelShuffle", [one], f"0={HALVING}") for one in (bounded, graph.conv(trunk.shift, context))
    )
    h = graph.add("ReLU", [graph.sum_of(graph.product_of(features, scale), shift)])
    for block in trunk.render:
        h = _block(graph, block, h)  # type: ignore[arg-type]
    graph.conv(trunk.tail, h)
    return graph


def _gains(trunk: Trunk | SteeredTrunk, log_coarseness: float) -> list[Tensor]:
    """The inputs of the graph after the planes."""
    if trunk.gains is None:
        return []
    return [g.view(-1, 1, 1) for g in trunk.gains(torch.tensor([log_coarseness])).flatten().split(trunk.widths)]


def jiang2017_plan(net: Jiang2017RecCNN) -> GraphPlan:
    """The layers are the graph; its input, b0, is the upscaled picture (3, H, W) - 0.5, its output the residual.

    Raises:
        ValueError: the net has its normalisation still.
    """
    graph = Graph()
    h = graph.conv(net.first, graph.add("Input", []), relu=True)
    for conv, norm in zip(net.inner, net.norms, strict=True):
        if not (isinstance(conv, nn.Conv2d) and isinstance(norm, nn.Identity)):
            raise ValueError("only fused nets make a graph")  # noqa: TRY004 - as for every net that makes none
        h = graph.conv(conv, h, relu=True)
    graph.conv(net.last, h)

    def apply(run: RunGraph, x: Tensor, _log_coarseness: float) -> Tensor:
        upscaled = upscale_quickly(x, SCALE)
        return upscaled + run([upscaled[0] - 0.5])[None]

    return GraphPlan(graph=graph, apply=apply, unit=SCALE)


BUILDERS: Final[Mapping[type[nn.Module], Callable[[Any], GraphPlan]]] = {
    ComCNN: residual_plan,
    RecCNN: residual_plan,
    SteeredComCNN: steered_plan,
    SteeredRecCNN: steered_plan,
    Jiang2017RecCNN: jiang2017_plan,  # 20 layers at full resolution: ComCNN's three are not worth it
}
