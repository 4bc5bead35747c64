"""RecCNN of the original design through ncnn's Winograd kernels: 20 layers at full resolution are worth it."""

from __future__ import annotations

from typing import Self

import numpy as np
import torch
from torch import Tensor, nn

from batchcomp.codec.classic import SCALE, ClassicRecCNN
from batchcomp.codec.engines import to_floats
from batchcomp.codec.resample import upscale
from batchcomp.codec.winograd import TOLERANCE, Graph, Loaded, Winograd


def classic_graph(net: ClassicRecCNN) -> Graph:
    """The layers of a folded RecCNN: its input, b0, is the upscaled picture (3, H, W) - 0.5, its output the residual.

    Raises:
        ValueError: the net has its normalisation still.
    """
    graph = Graph()
    h = graph.conv(net.first, graph.add("Input", []), relu=True)
    for conv, norm in zip(net.inner, net.norms, strict=True):
        if not (isinstance(conv, nn.Conv2d) and isinstance(norm, nn.Identity)):
            raise ValueError("only folded nets make a graph")  # noqa: TRY004 - as for every net that makes none
        h = graph.conv(conv, h, relu=True)
    graph.conv(net.last, h)
    return graph


class ClassicWinograd(Winograd):
    """The layers in ncnn, the bicubic base in torch."""

    def __init__(self, net: ClassicRecCNN) -> None:
        self._classic = net
        self._graph = Loaded(classic_graph(net))

    @classmethod
    def of(cls, net: nn.Module) -> Self | None:
        """The engine of a RecCNN on the CPU; None where it is of another kind or ncnn computes anything else."""
        if not isinstance(net, ClassicRecCNN):
            return None
        try:
            engine = cls(net)
            return engine if engine._agrees() else None
        except (ValueError, RuntimeError, MemoryError):
            return None

    def _floats(self, tile: Tensor, _log_step: float) -> Tensor:
        """(1, h, w, 3) uint8 to the network's (1, 3, 2h, 2w)."""
        upscaled = upscale(to_floats(tile), SCALE)
        return upscaled + self._graph([upscaled[0] - 0.5])[None]

    @torch.inference_mode()
    def _agrees(self) -> bool:
        """Whether the graph computes what the network does, on noise."""
        noise = np.random.default_rng(0).integers(0, 256, (1, 20, 28, 3), dtype=np.uint8)
        tile = torch.from_numpy(noise)
        difference = self._floats(tile, 0.0) - self._classic(to_floats(tile))
        return float(difference.abs().max()) <= TOLERANCE
