"""From float networks to exact ones: which powers of two the inputs of RecCNN's convolutions are rounded to."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from batchcomp.codec.networks.base import CodecNetwork
from batchcomp.codec.networks.exact import ExactConv2d
from batchcomp.codec.whole_numbers import INPUT_LIMIT
from batchcomp.training.jpeg_proxy import jpeg

HEAD = "trunk.head"  # sees pixels, whose grid is given
WITHIN = 0.9999  # share of a convolution's inputs that its grid must reach: the few beyond are clipped
MAX_VALUES = 2**20  # of one batch that are looked at


def is_exact(network: CodecNetwork) -> bool:
    """Whether its RecCNN computes in whole numbers."""
    return any(isinstance(module, ExactConv2d) for module in network.rec.modules())


@torch.no_grad()
def fit_grids(exact: CodecNetwork, floating: CodecNetwork, batches: Iterable[tuple[Tensor, Tensor]]) -> None:
    """Set the grids of an exact network by what the convolutions of the network it comes from see.

    Args:
        exact: changed in place; its convolutions have the names of the others.
        floating: the network whose weights it has.
        batches: photos (B, 3, H, W) in [0, 1], sides multiples of 16, and coarsenesses (B,).
    """
    largest: dict[str, float] = {}
    with _watched(floating.rec, largest):
        for x, coarseness in batches:
            log_coarseness = torch.log2(coarseness)
            decoded, _ = jpeg(floating.com(x, log_coarseness), floating.log_tables_at(coarseness))
            floating.rec(decoded, log_coarseness)
    for name, conv in exact.rec.named_modules():
        if isinstance(conv, ExactConv2d) and name != HEAD:
            conv.grid.exponent.fill_(math.floor(math.log2(INPUT_LIMIT / max(largest[name], 2.0**-10))))


@contextmanager
def _watched(net: nn.Module, largest: dict[str, float]) -> Iterator[None]:
    """Note the largest input of each convolution, but for one in ten thousand."""

    def watcher(name: str) -> object:
        def watch(_module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            values = inputs[0].abs().flatten()
            values = values[:: -(-len(values) // MAX_VALUES)]
            largest[name] = max(largest.get(name, 0.0), float(torch.quantile(values, WITHIN)))

        return watch

    hooks = [
        module.register_forward_pre_hook(watcher(name))  # type: ignore[arg-type]
        for name, module in net.named_modules()
        if isinstance(module, nn.Conv2d)
    ]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
