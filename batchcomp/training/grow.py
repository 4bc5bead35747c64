"""Start a larger network from a trained smaller one: nothing that was learned is lost.

Progressive growing: new branches start at zero and gains at one, so the first step sees what the last run knew.
"""

from __future__ import annotations

import re

import torch

from batchcomp.codec.networks.base import CodecNetwork
from batchcomp.codec.networks.residual import ResidualNetwork
from batchcomp.errors import TrainingError

BLOCK = re.compile(r"^(com|rec)\.trunk\.body\.(\d+)\.")


def sources(target_blocks: int, source_blocks: int) -> list[int | None]:
    """Which block of the source each block of the target comes from: evenly spread; None where there is none left."""
    if target_blocks <= source_blocks:
        last = max(1, target_blocks - 1)
        return [round(i * (source_blocks - 1) / last) for i in range(target_blocks)]
    return [i if i < source_blocks else None for i in range(target_blocks)]


def begin_with(target: CodecNetwork, source: CodecNetwork) -> None:
    """Let networks start where trained ones ended: of the same architecture, or of the residual family and smaller.

    Raises:
        TrainingError: one cannot become the other.
    """
    if target.arch == source.arch:
        target.load_state_dict(source.state_dict())
    elif isinstance(target, ResidualNetwork) and isinstance(source, ResidualNetwork):
        grow(target, source)
    else:
        raise TrainingError(f"{source.arch} cannot grow into {target.arch}: the architectures must be the same")


@torch.no_grad()
def grow(target: ResidualNetwork, source: ResidualNetwork) -> None:
    """Copy the source's weights into the target wherever it has a place for them.

    Blocks that only the target has keep their start, with a second convolution of zero: the identity.

    Raises:
        TrainingError: the two work at different scales, resolutions or widths.
    """
    ours, theirs = target.arch, source.arch
    if (ours.scale, ours.unshuffle, ours.com_width, ours.rec_width) != (
        theirs.scale,
        theirs.unshuffle,
        theirs.com_width,
        theirs.rec_width,
    ):
        raise TrainingError(f"{theirs} cannot grow into {ours}: scale, unshuffle and widths must be the same")
    plans = {
        "com": sources(ours.com_blocks, theirs.com_blocks),
        "rec": sources(ours.rec_blocks, theirs.rec_blocks),
    }
    state = source.state_dict()
    for name, value in target.state_dict().items():
        origin = _origin(name, plans)
        if origin is None:
            if ".second." in name:
                value.zero_()
        elif origin in state and state[origin].shape == value.shape:
            value.copy_(state[origin])
        elif origin in state and name.endswith("head.weight") and state[origin].shape[1] < value.shape[1]:
            value.zero_()  # planes that only the target sees come last, and count for nothing at first
            value[:, : state[origin].shape[1]].copy_(state[origin])


def _origin(name: str, plans: dict[str, list[int | None]]) -> str | None:
    """Name of the tensor that a tensor of the target starts from; None for a block of its own."""
    match = BLOCK.match(name)
    if not match:
        return name
    block = plans[match[1]][int(match[2])]
    return None if block is None else BLOCK.sub(f"{match[1]}.trunk.body.{block}.", name)
