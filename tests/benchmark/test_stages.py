"""The cost of networks."""

from __future__ import annotations

import torch
from torch import nn

from batchcomp.benchmark.stages import macs_of


def test_macs_are_those_of_the_convolutions() -> None:
    """Kernel area times channels for each pixel, less where a net works at lower resolution."""
    conv = nn.Conv2d(3, 5, 3, padding=1)

    class Folded(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(12, 4, 1)

        def forward(self, x: torch.Tensor, _step: torch.Tensor) -> torch.Tensor:
            return self.conv(nn.functional.pixel_unshuffle(x, 2))

    class Plain(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = conv

        def forward(self, x: torch.Tensor, _step: torch.Tensor) -> torch.Tensor:
            return self.conv(x)

    assert macs_of(Plain(), 16) == 9 * 3 * 5
    assert macs_of(Folded(), 16) == 12 * 4 / 4
