"""The two networks, ComCNN (compact-representation CNN) and RecCNN (reconstruction CNN), in one file.

Both predict a residual around plain resampling, so that untrained nets are exactly "bicubic + JPEG":

    compact        = bicubic_down(image) + ComCNN residual
    reconstruction = bicubic_up(JPEG(compact)) + RecCNN residual

After Jiang et al. 2017, arXiv 1708.00838 (the double network), with the low-resolution residual trunk of
EDSR (Lim et al. 2017, arXiv 1707.02921) between pixel-unshuffle and pixel-shuffle (Shi et al. 2016, arXiv 1609.05158).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  (the name every torch reader expects)

from batchcomp.codec.family import CodecNetwork
from batchcomp.codec.tables import FULL_SIZE_SLOPE, initial_log_tables, tables_at

TAIL_GAIN = 0.01  # last convolution starts near zero: training starts at bicubic + JPEG and only improves


SCALES, FOLDS = (1, 2, 4), (1, 2, 4, 8, 16, 32)
MAX_WIDTH, MAX_BLOCKS = 512, 64
BLOCK = 8  # sides of a JPEG block in pixels of the compact picture


def _conv_parameters(channels_in: int, channels_out: int, kernel: int) -> int:
    return (kernel**2 * channels_in + 1) * channels_out


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """What a model file must say for its nets to be built again.

    `fold` is the trunk's working resolution: it sees 1/fold of the original's width and height. With a `mid_width`,
    a branch of that many channels at half that resolution joins in the middle of each trunk. `gains` makes every
    block's strength depend on the coarseness, `bands` the shape of the quantisation tables. With `phases` both nets
    know where they are in the JPEG's grid of 8x8 blocks, which a convolution cannot tell by itself.
    """

    scale: int = 2
    fold: int = 4
    com_width: int = 64
    com_blocks: int = 3
    rec_width: int = 64
    rec_blocks: int = 5
    mid_width: int = 0
    com_mid_blocks: int = 0
    rec_mid_blocks: int = 0
    gains: bool = False
    bands: bool = False
    phases: bool = False

    def __post_init__(self) -> None:
        """Raise ValueError where the numbers build no network, or one that no picture needs."""
        values = vars(self)
        flags = {"gains", "bands", "phases"}
        optional = {"mid_width", "com_mid_blocks", "rec_mid_blocks"}
        if any(type(values[key]) is not bool for key in flags):
            raise ValueError(f"{values}: expected true or false for {', '.join(sorted(flags))}")
        if any(type(v) is not int or v < (key not in optional) for key, v in values.items() if key not in flags):
            raise ValueError(f"{values}: expected whole numbers from 1 on")
        if self.scale not in SCALES or self.fold not in FOLDS or self.fold < self.scale:
            raise ValueError(f"scale {self.scale} with fold {self.fold}: expected one of {SCALES} and one of {FOLDS}")
        blocks = self.com_blocks, self.rec_blocks, self.com_mid_blocks, self.rec_mid_blocks
        if max(self.com_width, self.rec_width, self.mid_width) > MAX_WIDTH or max(blocks) > MAX_BLOCKS:
            raise ValueError(f"{values}: at most {MAX_WIDTH} channels and {MAX_BLOCKS} blocks")

    @property
    def com(self) -> Trunk:
        return Trunk(
            fold_in=self.fold,
            fold_out=self.fold // self.scale,
            width=self.com_width,
            blocks=self.com_blocks,
            mid_width=self.mid_width,
            mid_blocks=self.com_mid_blocks,
            gains=self.gains,
            period=self.period,
        )

    @property
    def rec(self) -> Trunk:
        return Trunk(
            fold_in=self.fold // self.scale,
            fold_out=self.fold,
            width=self.rec_width,
            blocks=self.rec_blocks,
            mid_width=self.mid_width,
            mid_blocks=self.rec_mid_blocks,
            gains=self.gains,
            period=self.period,
        )

    @property
    def period(self) -> int:
        """Sides of a JPEG block in pixels of the trunks' resolution; 0 where the nets are not told."""
        return max(1, BLOCK * self.scale // self.fold) if self.phases else 0

    @property
    def unit(self) -> int:
        """Sides of the original that the nets take are multiples of this."""
        unit = self.fold * (2 if self.mid_width else 1)
        return max(unit, BLOCK * self.scale) if self.phases else unit

    @property
    def parameters(self) -> int:
        """Weights and biases of both nets, and the tables' entries."""
        return self.com.parameters + self.rec.parameters + 128 * (1 + self.bands)

    @property
    def com_halo(self) -> int:
        """Receptive-field radius of ComCNN in original pixels, a multiple of `unit`."""
        return self._halo(self.com)

    @property
    def rec_halo(self) -> int:
        """Receptive-field radius of RecCNN in original pixels, a multiple of `unit`."""
        return self._halo(self.rec)

    def _halo(self, trunk: Trunk) -> int:
        return -(-self.fold * trunk.reach // self.unit) * self.unit


@dataclass(frozen=True, kw_only=True)
class Trunk:
    """The shape of one `FoldedTrunk`."""

    fold_in: int
    fold_out: int
    width: int
    blocks: int
    mid_width: int = 0
    mid_blocks: int = 0
    gains: bool = False
    period: int = 0

    @property
    def planes(self) -> int:
        """Input channels: the folded picture, the coarseness, and rows and columns of the block's grid."""
        return 3 * self.fold_in**2 + 1 + 2 * self.period

    @property
    def parameters(self) -> int:
        """Weights and biases."""
        count = _conv_parameters(self.planes, self.width, 3)
        count += self.blocks * 2 * _conv_parameters(self.width, self.width, 3)
        count += _conv_parameters(self.width, 3 * self.fold_out**2, 3)
        if self.mid_width:
            count += _conv_parameters(4 * self.width, self.mid_width, 1)
            count += self.mid_blocks * 2 * _conv_parameters(self.mid_width, self.mid_width, 3)
            count += _conv_parameters(self.mid_width, 4 * self.width, 1)
        return count + self.gains * 4 * self.hidden

    @property
    def hidden(self) -> int:
        """Hidden channels of all blocks together: each has a gain."""
        return self.blocks * self.width + (self.mid_blocks * self.mid_width if self.mid_width else 0)

    @property
    def reach(self) -> int:
        """Receptive-field radius in pixels of the trunk's own resolution."""
        middle = 2 * (2 * self.mid_blocks + 1) if self.mid_width else 0
        return 2 * self.blocks + 2 + middle


def conv3x3(channels_in: int, channels_out: int) -> nn.Conv2d:
    return nn.Conv2d(channels_in, channels_out, 3, padding=1)


class ResidualBlock(nn.Module):
    """x + conv(gain * relu(conv(x))); without batch normalisation, as in EDSR."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width
        self.first = conv3x3(width, width)
        self.second = conv3x3(width, width)
        with torch.no_grad():
            self.second.weight.mul_(0.1)

    def forward(self, x: Tensor, gain: Tensor | None = None) -> Tensor:
        hidden = F.relu(self.first(x), inplace=True)
        return x + self.second(hidden if gain is None else hidden * gain)  # type: ignore[no-any-return]


class MiddleBranch(nn.Module):
    """Residual blocks at half the trunk's resolution: twice the context for a quarter of the cost.

    It starts at zero, so that it can be grown into a trained trunk and nothing is lost.
    """

    def __init__(self, width: int, mid_width: int, blocks: int) -> None:
        super().__init__()
        self.down = nn.Conv2d(4 * width, mid_width, 1)
        self.body = nn.ModuleList(ResidualBlock(mid_width) for _ in range(blocks))
        self.up = nn.Conv2d(mid_width, 4 * width, 1)
        nn.init.zeros_(self.up.weight)
        nn.init.zeros_(self.up.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor, gains: Sequence[Tensor | None]) -> Tensor:
        h = self.down(F.pixel_unshuffle(x, 2).contiguous(memory_format=torch.channels_last))
        for block, gain in zip(self.body, gains, strict=True):
            h = block(h, gain)
        return F.pixel_shuffle(self.up(h), 2)


class Gains(nn.Module):
    """The strength of every hidden channel as a cubic polynomial of log2(step), 1 at the start of training.

    Feature-wise modulation (Perez et al. 2017, arXiv 1709.07871): one pair of nets serves all qualities.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.cubic = nn.Linear(3, channels)
        nn.init.zeros_(self.cubic.weight)
        nn.init.zeros_(self.cubic.bias)

    def forward(self, log_step: Tensor) -> Tensor:
        t = (log_step / 3.0).unsqueeze(1)  # (B, 1)
        gains: Tensor = 1 + self.cubic(torch.cat([t, t**2, t**3], dim=1))
        return gains[:, :, None, None]  # (B, channels, 1, 1)


class FoldedTrunk(nn.Module):
    """A residual net at low resolution: unshuffle by `fold_in`, residual blocks, shuffle by `fold_out`."""

    def __init__(self, shape: Trunk) -> None:
        super().__init__()
        self.fold_in, self.fold_out = shape.fold_in, shape.fold_out
        width = shape.width
        self.period = shape.period
        self.head = conv3x3(shape.planes, width)
        self.body = nn.ModuleList(ResidualBlock(width) for _ in range(shape.blocks))
        self.tail = conv3x3(width, 3 * shape.fold_out**2)
        with torch.no_grad():
            self.tail.weight.mul_(TAIL_GAIN)
            if self.tail.bias is not None:
                self.tail.bias.zero_()
        self.middle = MiddleBranch(width, shape.mid_width, shape.mid_blocks) if shape.mid_width else None
        self.gains = Gains(shape.hidden) if shape.gains else None
        self.widths = [width] * shape.blocks + [shape.mid_width] * (shape.mid_blocks if shape.mid_width else 0)

    def forward(self, x: Tensor, log_step: Tensor) -> Tensor:
        """Residual of shape (B, 3, H / fold_in * fold_out, ...) for x (B, 3, H, W) and log_step (B,) = log2(step)."""
        h = self.head(self.planes(x, log_step).contiguous(memory_format=torch.channels_last))
        return F.pixel_shuffle(self.tail(h + self._residual(h, log_step)), self.fold_out)

    def planes(self, x: Tensor, log_step: Tensor) -> Tensor:
        """What the head sees of x (B, 3, H, W), sides multiples of the unit: (B, planes, H / fold_in, W / fold_in)."""
        folded = F.pixel_unshuffle(x - 0.5, self.fold_in)  # (B, 3 f^2, H/f, W/f)
        rows, columns = folded.shape[2:]
        told = (log_step / 3.0).view(-1, 1, 1, 1).expand(-1, 1, rows, columns)
        inputs = [folded, told.to(folded.dtype)]
        if self.period:
            position = torch.eye(self.period, dtype=folded.dtype, device=folded.device)
            across = position.repeat(1, columns // self.period)[:, None, :].expand(-1, rows, -1)
            down = position.repeat(1, rows // self.period)[:, :, None].expand(-1, -1, columns)
            inputs += [plane.expand(len(x), -1, -1, -1) for plane in (down, across)]
        return torch.cat(inputs, dim=1)

    def _residual(self, h: Tensor, log_step: Tensor) -> Tensor:
        gains = self._gains(log_step)
        split = (len(self.body) + 1) // 2
        for number, block in enumerate(self.body):
            h = block(h, gains[number])
            if self.middle is not None and number + 1 == split:
                h = h + self.middle(h, gains[len(self.body) :])
        return h

    def _gains(self, log_step: Tensor) -> Sequence[Tensor | None]:
        if self.gains is None:
            return [None] * len(self.widths)
        gains: Sequence[Tensor] = self.gains(log_step).split(self.widths, dim=1)
        return gains


def downscale(x: Tensor, scale: int) -> Tensor:
    """Bicubic, antialiased (a = -0.5, as Pillow): (B, 3, H, W) -> (B, 3, H / scale, W / scale)."""
    if scale == 1:
        return x
    return F.interpolate(x, scale_factor=1 / scale, mode="bicubic", antialias=True)


def upscale(x: Tensor, scale: int) -> Tensor:
    """Bicubic (a = -0.75, torch's): (B, 3, h, w) -> (B, 3, h * scale, w * scale)."""
    if scale == 1:
        return x
    return F.interpolate(x, scale_factor=scale, mode="bicubic", align_corners=False)


class ComCNN(nn.Module):
    """The compact-representation network: picture in, smaller picture out."""

    def __init__(self, arch: Architecture) -> None:
        super().__init__()
        self.scale = arch.scale
        self.trunk = FoldedTrunk(arch.com)

    def forward(self, x: Tensor, log_step: Tensor) -> Tensor:
        """Map x (B, 3, H, W) in [0, 1], sides multiples of the unit, to the compact image (B, 3, H/scale, W/scale)."""
        residual: Tensor = self.trunk(x, log_step)
        return downscale(x, self.scale) + residual


class RecCNN(nn.Module):
    """The reconstruction network: decoded compact picture in, full-size picture out."""

    def __init__(self, arch: Architecture) -> None:
        super().__init__()
        self.scale = arch.scale
        self.trunk = FoldedTrunk(arch.rec)

    def forward(self, compact: Tensor, log_step: Tensor) -> Tensor:
        """Map a decoded compact image (B, 3, h, w) in [0, 1] to (B, 3, h * scale, w * scale), not clamped."""
        residual: Tensor = self.trunk(compact, log_step)
        return upscale(compact, self.scale) + residual


class DoubleNetwork(CodecNetwork):
    """ComCNN, RecCNN and the quantisation tables that were learned with them.

    `log_tables` (2, 8, 8) holds the natural logarithms of the luma and chroma tables at step 1; `log_slopes`, where
    the architecture has bands, how each entry grows beyond the step itself.
    """

    arch: Architecture
    com: ComCNN
    rec: RecCNN

    def __init__(self, arch: Architecture) -> None:
        super().__init__()
        self.arch = arch
        self.com = ComCNN(arch)
        self.rec = RecCNN(arch)
        self.log_tables = nn.Parameter(torch.from_numpy(initial_log_tables(arch.scale)).float())
        slope = FULL_SIZE_SLOPE if arch.scale == 1 else 0.0
        self.log_slopes = nn.Parameter(torch.full((2, 8, 8), slope)) if arch.bands else None

    def log_tables_at(self, step: Tensor) -> Tensor:
        """Natural logarithms (B, 2, 8, 8) of the tables for steps (B,), before rounding."""
        log_step = torch.log(step).view(-1, 1, 1, 1)
        growth = 1 if self.log_slopes is None else 1 + self.log_slopes
        return self.log_tables + log_step * growth

    def tables_at(self, step: float) -> NDArray[np.int64]:
        """Whole-number tables (2, 8, 8) in 1..255, as a baseline JPEG stores them, for a step."""
        slopes = None if self.log_slopes is None else self.log_slopes.detach().cpu().numpy()
        return tables_at(self.log_tables.detach().cpu().numpy(), step, slopes)

    def placed(self, device: torch.device | str = "cpu") -> Self:
        """Move to a device, in channels_last layout: twice the speed of the default one at 48 to 96 channels."""
        self.to(device)
        return self.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]
