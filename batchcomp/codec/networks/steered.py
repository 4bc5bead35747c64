"""The steered family: most of the work at 1/8 of the original's resolution, a cheap renderer at 1/4 that it steers.

    features = head(unshuffle(picture, 1/4))                        -> width channels at 1/4
    context  = residual blocks(down(unshuffle(features, 1/8)))      -> body_width channels at 1/8
    rendered = relu(scale(context) * features + shift(context))     -> width channels at 1/4
    residual = shuffle(tail(render blocks(rendered)))

Around bicubic resampling, as in `residual`. A convolution of twice the channels at half the resolution costs the same
and sees twice as far; the renderer keeps what needs the finer grid. After PULSE (arXiv 2609.18602); scale and shift as
in FiLM (Perez et al. 2017, arXiv 1709.07871), but one for each place. No normalisation, ReLU only, and the scale is
bounded: fit for whole numbers of 8 bits.
"""

from __future__ import annotations

from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  (the name every torch reader expects)

from batchcomp.codec.networks.base import CodecNetwork, conv3x3, input_planes
from batchcomp.codec.networks.residual import TAIL_GAIN, Gains, ResidualBlock
from batchcomp.codec.networks.steered_shape import HALVING, MAX_SCALE, PERIOD, SCALE, SteeredArchitecture, SteeredShape
from batchcomp.codec.resample import downscale, upscale
from batchcomp.codec.tables import initial_log_tables, tables_at


class RenderBlock(nn.Module):
    """x + conv(relu(conv(x))) at the renderer's resolution; the second is pointwise for a kernel of 1."""

    def __init__(self, width: int, kernel: int) -> None:
        super().__init__()
        self.first = conv3x3(width, width)
        self.second = nn.Conv2d(width, width, kernel, padding=kernel // 2)
        with torch.no_grad():
            self.second.weight.mul_(0.1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.second(F.relu(self.first(x), inplace=True))  # type: ignore[no-any-return]


class SteeredTrunk(nn.Module):
    """Features at 1/4 of the resolution, scaled and shifted by what a residual net at 1/8 makes of them."""

    def __init__(self, shape: SteeredShape) -> None:
        super().__init__()
        self.unshuffle, self.shuffle = shape.unshuffle, shape.shuffle
        width, body = shape.width, shape.body_width
        self.head = conv3x3(shape.planes, width)
        self.down = nn.Conv2d(HALVING**2 * width, body, 1)
        self.body = nn.ModuleList(ResidualBlock(body) for _ in range(shape.blocks))
        self.gains = Gains(shape.blocks * body)
        self.widths = [body] * shape.blocks
        self.scale = nn.Conv2d(body, HALVING**2 * width, 1)
        self.shift = nn.Conv2d(body, HALVING**2 * width, 1)
        self.render = nn.ModuleList(RenderBlock(width, shape.render_kernel) for _ in range(shape.render_blocks))
        self.tail = conv3x3(width, 3 * shape.shuffle**2)
        with torch.no_grad():
            self.scale.weight.mul_(0.1)
            self.scale.bias.fill_(1.0)  # type: ignore[union-attr]
            self.tail.weight.mul_(TAIL_GAIN)
            self.tail.bias.zero_()  # type: ignore[union-attr]

    def forward(self, x: Tensor, log_coarseness: Tensor) -> Tensor:
        """Residual of shape (B, 3, H / unshuffle * shuffle, ...) for x (B, 3, H, W) and log2(coarseness) (B,)."""
        features = self.head(self.planes(x, log_coarseness).contiguous(memory_format=torch.channels_last))
        scale, shift = self._steering(features, log_coarseness)
        h = F.relu(scale * features + shift, inplace=True)  # (B, width, H/4, W/4) of the original
        for block in self.render:
            h = block(h)
        return F.pixel_shuffle(self.tail(h), self.shuffle)

    def planes(self, x: Tensor, log_coarseness: Tensor) -> Tensor:
        """What the head sees of x (B, 3, H, W), sides multiples of the unit: (B, planes, H / f, W / f)."""
        return input_planes(x, log_coarseness, self.unshuffle, PERIOD)

    def _steering(self, features: Tensor, log_coarseness: Tensor) -> tuple[Tensor, Tensor]:
        """Scale and shift, both of the features' shape."""
        low = F.pixel_unshuffle(features, HALVING).contiguous(memory_format=torch.channels_last)
        context = self.down(low)  # (B, body_width, H/8, W/8) of the original
        for block, gain in zip(self.body, self.gains(log_coarseness).split(self.widths, dim=1), strict=True):
            context = block(context, gain)
        scale = self.scale(context).clamp(0, MAX_SCALE)
        return F.pixel_shuffle(scale, HALVING), F.pixel_shuffle(self.shift(context), HALVING)


class SteeredComCNN(nn.Module):
    """The compact-representation network: picture in, smaller picture out."""

    scale = SCALE

    def __init__(self, arch: SteeredArchitecture) -> None:
        super().__init__()
        self.trunk = SteeredTrunk(arch.com)

    def forward(self, x: Tensor, log_coarseness: Tensor) -> Tensor:
        """Map x (B, 3, H, W) in [0, 1], sides multiples of 16, to the compact picture (B, 3, H/2, W/2)."""
        residual: Tensor = self.trunk(x, log_coarseness)
        return downscale(x, SCALE) + residual


class SteeredRecCNN(nn.Module):
    """The reconstruction network: decoded compact picture in, full-size picture out."""

    scale = SCALE

    def __init__(self, arch: SteeredArchitecture) -> None:
        super().__init__()
        self.trunk = SteeredTrunk(arch.rec)

    def forward(self, compact: Tensor, log_coarseness: Tensor) -> Tensor:
        """Map a decoded compact picture (B, 3, h, w) in [0, 1] to (B, 3, 2h, 2w), not clamped."""
        residual: Tensor = self.trunk(compact, log_coarseness)
        return upscale(compact, SCALE) + residual


class SteeredNetwork(CodecNetwork):
    """ComCNN, RecCNN and the quantisation tables that were learned with them.

    `log_tables` (2, 8, 8) holds the natural logarithms of the luma and chroma tables at coarseness 1,
    `log_slopes` how each entry grows beyond the coarseness itself.
    """

    shape = SteeredArchitecture
    arch: SteeredArchitecture
    com: SteeredComCNN
    rec: SteeredRecCNN

    def __init__(self, arch: SteeredArchitecture) -> None:
        super().__init__()
        self.arch = arch
        self.com = SteeredComCNN(arch)
        self.rec = SteeredRecCNN(arch)
        self.log_tables = nn.Parameter(torch.from_numpy(initial_log_tables(SCALE)).float())
        self.log_slopes = nn.Parameter(torch.zeros(2, 8, 8))

    def log_tables_at(self, coarseness: Tensor) -> Tensor:
        """Natural logarithms (B, 2, 8, 8) of the tables at coarsenesses (B,), before rounding."""
        return self.log_tables + torch.log(coarseness).view(-1, 1, 1, 1) * (1 + self.log_slopes)

    def tables_at(self, coarseness: float) -> NDArray[np.int64]:
        """Whole-number tables (2, 8, 8) in 1..255, as a baseline JPEG stores them, at a coarseness."""
        logs, slopes = (value.detach().cpu().numpy() for value in (self.log_tables, self.log_slopes))
        return tables_at(logs, coarseness, slopes)

    def placed(self, device: torch.device | str = "cpu") -> Self:
        """Move to a device, in channels_last layout."""
        self.to(device)
        return self.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]
