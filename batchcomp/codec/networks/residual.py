"""The two networks, ComCNN (compact-representation CNN) and RecCNN (reconstruction CNN), in one file.

Both predict a residual around plain resampling, so that untrained nets are exactly "bicubic + JPEG":

    compact        = bicubic_down(image) + ComCNN residual
    reconstruction = bicubic_up(JPEG(compact)) + RecCNN residual

After Jiang et al. 2017, arXiv 1708.00838 (the double network), with the low-resolution residual trunk of
EDSR (Lim et al. 2017, arXiv 1707.02921) between pixel-unshuffle and pixel-shuffle (Shi et al. 2016, arXiv 1609.05158).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  (the name every torch reader expects)

from batchcomp.codec.networks.base import CodecNetwork, input_planes
from batchcomp.codec.networks.exact import ExactConv2d
from batchcomp.codec.networks.residual_shape import ResidualArchitecture, TrunkShape
from batchcomp.codec.resample import downscale, upscale, upscale_exactly
from batchcomp.codec.tables import FULL_SIZE_SLOPE, initial_log_tables, tables_at
from batchcomp.codec.whole_numbers import BYTES, GAIN_STEPS, PIXEL_MIDDLE, PIXEL_STEPS, WIDE, Limits

TAIL_GAIN = 0.01  # last convolution starts near zero: training starts at bicubic + JPEG and only improves


def conv(channels_in: int, channels_out: int, kernel: int, *, exact: bool, limits: Limits = BYTES) -> nn.Conv2d:
    """A convolution of stride 1 that keeps the sides; an exact one with its limits."""
    if exact:
        return ExactConv2d(channels_in, channels_out, kernel, limits)
    return nn.Conv2d(channels_in, channels_out, kernel, padding=kernel // 2)


class ResidualBlock(nn.Module):
    """x + conv(gain * relu(conv(x))); without batch normalisation, as in EDSR."""

    def __init__(self, width: int, *, exact: bool = False) -> None:
        super().__init__()
        self.width = width
        self.first = conv(width, width, 3, exact=exact)
        self.second = conv(width, width, 3, exact=exact)
        with torch.no_grad():
            self.second.weight.mul_(0.1)

    def forward(self, x: Tensor, gain: Tensor | None = None) -> Tensor:
        hidden = F.relu(self.first(x), inplace=True)
        return x + self.second(hidden if gain is None else hidden * gain)  # type: ignore[no-any-return]


class MiddleBranch(nn.Module):
    """Residual blocks at half the trunk's resolution: twice the context for a quarter of the cost.

    It starts at zero, so that it can be grown into a trained trunk and nothing is lost.
    """

    def __init__(self, width: int, mid_width: int, blocks: int, *, exact: bool = False) -> None:
        super().__init__()
        self.down = conv(4 * width, mid_width, 1, exact=exact)
        self.body = nn.ModuleList(ResidualBlock(mid_width, exact=exact) for _ in range(blocks))
        self.up = conv(mid_width, 4 * width, 1, exact=exact)
        nn.init.zeros_(self.up.weight)
        nn.init.zeros_(self.up.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor, gains: Sequence[Tensor | None]) -> Tensor:
        h = self.down(F.pixel_unshuffle(x, 2).contiguous(memory_format=torch.channels_last))
        for block, gain in zip(self.body, gains, strict=True):
            h = block(h, gain)
        return F.pixel_shuffle(self.up(h), 2)


class Gains(nn.Module):
    """The strength of every hidden channel as a cubic polynomial of log2(coarseness), 1 at the start of training.

    Feature-wise modulation (Perez et al. 2017, arXiv 1709.07871): one pair of nets serves all qualities. Where results
    must be exact, they are whole multiples of 2^-9, worked out one rounded operation after the other.
    """

    def __init__(self, channels: int, *, exact: bool = False) -> None:
        super().__init__()
        self.exact = exact
        self.cubic = nn.Linear(3, channels)
        nn.init.zeros_(self.cubic.weight)
        nn.init.zeros_(self.cubic.bias)

    def forward(self, log_coarseness: Tensor) -> Tensor:
        t = (log_coarseness / 3.0).unsqueeze(1)  # (B, 1)
        if self.exact:
            return self._exactly(t.double())[:, :, None, None]
        gains: Tensor = 1 + self.cubic(torch.cat([t, t**2, t**3], dim=1))
        return gains[:, :, None, None]  # (B, channels, 1, 1)

    def _exactly(self, t: Tensor) -> Tensor:
        weight, steps = self.cubic.weight.double(), GAIN_STEPS
        cubic = ((weight[:, 2] * t + weight[:, 1]) * t + weight[:, 0]) * t + self.cubic.bias.double()
        gains = 1 + cubic
        return (gains + (torch.round(gains * steps) / steps - gains).detach()).float()


class Trunk(nn.Module):
    """A residual net at low resolution: pixel-unshuffle, residual blocks, pixel-shuffle."""

    def __init__(self, shape: TrunkShape) -> None:
        super().__init__()
        self.unshuffle, self.shuffle = shape.unshuffle, shape.shuffle
        width = shape.width
        self.period, self.exact = shape.period, shape.exact
        self.head = conv(shape.planes, width, 3, exact=shape.exact, limits=WIDE)
        if isinstance(self.head, ExactConv2d):
            self.head.grid.exponent.fill_(math.log2(PIXEL_STEPS))
        self.body = nn.ModuleList(ResidualBlock(width, exact=shape.exact) for _ in range(shape.blocks))
        self.tail = conv(width, 3 * shape.shuffle**2, 3, exact=shape.exact, limits=WIDE)
        with torch.no_grad():
            self.tail.weight.mul_(TAIL_GAIN)
            if self.tail.bias is not None:
                self.tail.bias.zero_()
        self.middle = None
        if shape.mid_width:
            self.middle = MiddleBranch(width, shape.mid_width, shape.mid_blocks, exact=shape.exact)
        self.gains = Gains(shape.hidden, exact=shape.exact) if shape.gains else None
        self.widths = [width] * shape.blocks + [shape.mid_width] * (shape.mid_blocks if shape.mid_width else 0)

    def forward(self, x: Tensor, log_coarseness: Tensor) -> Tensor:
        """Residual of shape (B, 3, H / unshuffle * shuffle, ...) for x (B, 3, H, W) and log2(coarseness) (B,)."""
        h = self.head(self.planes(x, log_coarseness).contiguous(memory_format=torch.channels_last))
        return F.pixel_shuffle(self.tail(h + self._residual(h, log_coarseness)), self.shuffle)

    def planes(self, x: Tensor, log_coarseness: Tensor) -> Tensor:
        """What the head sees of x (B, 3, H, W), sides multiples of the unit: (B, planes, H / f, W / f).

        The head of an exact trunk rounds them, so that pixels are whole 256ths.
        """
        seen = x * (255 / 256) if self.exact else x
        return input_planes(seen, log_coarseness, self.unshuffle, self.period)

    def _residual(self, h: Tensor, log_coarseness: Tensor) -> Tensor:
        gains = self._gains(log_coarseness)
        split = (len(self.body) + 1) // 2
        for number, block in enumerate(self.body):
            h = block(h, gains[number])
            if self.middle is not None and number + 1 == split:
                h = h + self.middle(h, gains[len(self.body) :])
        return h

    def _gains(self, log_coarseness: Tensor) -> Sequence[Tensor | None]:
        if self.gains is None:
            return [None] * len(self.widths)
        gains: Sequence[Tensor] = self.gains(log_coarseness).split(self.widths, dim=1)
        return gains


class ComCNN(nn.Module):
    """The compact-representation network: picture in, smaller picture out."""

    def __init__(self, arch: ResidualArchitecture) -> None:
        super().__init__()
        self.scale = arch.scale
        self.trunk = Trunk(arch.com)

    def forward(self, x: Tensor, log_coarseness: Tensor) -> Tensor:
        """Map x (B, 3, H, W) in [0, 1], sides multiples of the unit, to the compact image (B, 3, H/scale, W/scale)."""
        residual: Tensor = self.trunk(x, log_coarseness)
        return downscale(x, self.scale) + residual


class RecCNN(nn.Module):
    """The reconstruction network: decoded compact picture in, full-size picture out."""

    def __init__(self, arch: ResidualArchitecture) -> None:
        super().__init__()
        self.scale = arch.scale
        self.trunk = Trunk(arch.rec)

    def forward(self, compact: Tensor, log_coarseness: Tensor) -> Tensor:
        """Map a decoded compact image (B, 3, h, w) in [0, 1] to (B, 3, h * scale, w * scale), not clamped."""
        residual: Tensor = self.trunk(compact, log_coarseness)
        return upscale(compact, self.scale) + (residual * (256 / 255) if self.trunk.exact else residual)

    def pixels(self, compact: Tensor, log_coarseness: Tensor) -> Tensor:
        """What an exact network makes of whole numbers: the same on every machine.

        Args:
            compact: a decoded compact picture (B, 3, h, w) of whole numbers 0 to 255, float32.
            log_coarseness: log2 of its coarseness (B,).

        Returns:
            The restored picture (B, 3, h * scale, w * scale), whole numbers 0 to 255, float32.
        """
        residual: Tensor = self.trunk(compact / 255, log_coarseness)
        return whole_pixels(compact, residual, self.scale)


def whole_pixels(compact: Tensor, residual: Tensor, scale: int) -> Tensor:
    """Enlarged whole numbers (B, 3, h, w) plus an exact trunk's residual in 256ths, as whole numbers 0 to 255."""
    enlarged = upscale_exactly(compact - PIXEL_MIDDLE, scale)
    return (enlarged + residual * PIXEL_STEPS).round_().clamp_(-PIXEL_MIDDLE, 255 - PIXEL_MIDDLE) + PIXEL_MIDDLE


class ResidualNetwork(CodecNetwork):
    """ComCNN, RecCNN and the quantisation tables that were learned with them.

    `log_tables` (2, 8, 8) holds the natural logarithms of the luma and chroma tables at coarseness 1; `log_slopes`,
    where the architecture has bands, how each entry grows beyond the coarseness itself.
    """

    shape = ResidualArchitecture
    arch: ResidualArchitecture
    com: ComCNN
    rec: RecCNN

    def __init__(self, arch: ResidualArchitecture) -> None:
        super().__init__()
        self.arch = arch
        self.com = ComCNN(arch)
        self.rec = RecCNN(arch)
        self.log_tables = nn.Parameter(torch.from_numpy(initial_log_tables(arch.scale)).float())
        slope = FULL_SIZE_SLOPE if arch.scale == 1 else 0.0
        self.log_slopes = nn.Parameter(torch.full((2, 8, 8), slope)) if arch.bands else None

    def log_tables_at(self, coarseness: Tensor) -> Tensor:
        """Natural logarithms (B, 2, 8, 8) of the tables at coarsenesses (B,), before rounding."""
        natural = torch.log(coarseness).view(-1, 1, 1, 1)
        growth = 1 if self.log_slopes is None else 1 + self.log_slopes
        return self.log_tables + natural * growth

    def tables_at(self, coarseness: float) -> NDArray[np.int64]:
        """Whole-number tables (2, 8, 8) in 1..255, as a baseline JPEG stores them, at a coarseness."""
        slopes = None if self.log_slopes is None else self.log_slopes.detach().cpu().numpy()
        return tables_at(self.log_tables.detach().cpu().numpy(), coarseness, slopes)

    def placed(self, device: torch.device | str = "cpu") -> Self:
        """Move to a device, in channels_last layout: twice the speed of the default one at 48 to 96 channels."""
        self.to(device)
        return self.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]
