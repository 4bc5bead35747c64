"""What an engine is: it maps uint8 tiles to uint8 tiles.

Engines for the CPU take one tile at a time, on one core each: `tiles.Runner` gives every core its own, which on two
cores is 5 to 25 % faster than torch's threads inside each convolution and makes the answer independent of their number.
An engine for another device takes batches.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Tiles = NDArray[np.uint8]  # (B, H, W, 3)


class Engine(Protocol):
    """Runs one network."""

    @property
    def name(self) -> str:
        """What it is, for `doctor` and benchmarks."""
        ...

    @property
    def parallel(self) -> bool:
        """Whether several threads may call it at once, with one tile each."""
        ...

    def start(self, tiles: Tiles, log_coarsenesses: Sequence[float]) -> Any:
        """Begin with uint8 tiles (B, H, W, 3) and a log2(coarseness) each; a device may still be at work on return."""
        ...

    def finish(self, begun: Any) -> Tiles:
        """Wait for what `start` returned: uint8 (B, H', W', 3)."""
        ...


def to_floats(tiles: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
    """(B, H, W, 3) uint8 to (B, 3, H, W) in [0, 1]; its memory is channels_last, as convolutions want it."""
    return tiles.permute(0, 3, 1, 2).to(dtype).div_(255)


def to_bytes(pixels: Tensor) -> Tensor:
    """(B, 3, H, W) around [0, 1], changed in place, to contiguous uint8 (B, H, W, 3)."""
    return pixels.clamp_(0, 1).mul_(255).round_().to(torch.uint8).permute(0, 2, 3, 1).contiguous()
