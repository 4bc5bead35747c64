"""The two networks, ComCNN (compact-representation CNN) and RecCNN (reconstruction CNN), in one file.

Both predict a residual around plain resampling, so that untrained nets are exactly "bicubic + JPEG":

    compact        = bicubic_down(image) + ComCNN residual
    reconstruction = bicubic_up(JPEG(compact)) + RecCNN residual

After Jiang et al. 2017, arXiv 1708.00838 (the double network), with the low-resolution residual trunk of
EDSR (Lim et al. 2017, arXiv 1707.02921) between pixel-unshuffle and pixel-shuffle (Shi et al. 2016, arXiv 1609.05158).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  (the name every torch reader expects)

TAIL_GAIN = 0.01  # last convolution starts near zero: training starts at bicubic + JPEG and only improves


SCALES, FOLDS = (1, 2, 4), (1, 2, 4, 8, 16, 32)
MAX_WIDTH, MAX_BLOCKS = 512, 64


def _trunk_parameters(fold_in: int, fold_out: int, width: int, blocks: int) -> int:
    head, tail = 9 * (3 * fold_in**2 + 1) * width + width, 9 * width * 3 * fold_out**2 + 3 * fold_out**2
    return head + blocks * 2 * (9 * width**2 + width) + tail


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """What a model file must say for its nets to be built again.

    `fold` is the trunk's working resolution: it sees 1/fold of the original's width and height.
    """

    scale: int = 2
    fold: int = 4
    com_width: int = 64
    com_blocks: int = 3
    rec_width: int = 64
    rec_blocks: int = 5

    def __post_init__(self) -> None:
        """Raise ValueError where the numbers build no network, or one that no picture needs."""
        values = vars(self)
        if any(type(value) is not int or value < 1 for value in values.values()):
            raise ValueError(f"{values}: expected whole numbers from 1 on")
        if self.scale not in SCALES or self.fold not in FOLDS or self.fold < self.scale:
            raise ValueError(f"scale {self.scale} with fold {self.fold}: expected one of {SCALES} and one of {FOLDS}")
        if max(self.com_width, self.rec_width) > MAX_WIDTH or max(self.com_blocks, self.rec_blocks) > MAX_BLOCKS:
            raise ValueError(f"{values}: at most {MAX_WIDTH} channels and {MAX_BLOCKS} blocks")

    @property
    def parameters(self) -> int:
        """Weights and biases of both nets, and the tables' entries."""
        small = self.fold // self.scale
        com = _trunk_parameters(self.fold, small, self.com_width, self.com_blocks)
        return com + _trunk_parameters(small, self.fold, self.rec_width, self.rec_blocks) + 128

    @property
    def com_halo(self) -> int:
        """Receptive-field radius of ComCNN in original pixels, a multiple of `fold`."""
        return self.fold * (2 * self.com_blocks + 2)

    @property
    def rec_halo(self) -> int:
        """Receptive-field radius of RecCNN in original pixels, a multiple of `fold`."""
        return self.fold * (2 * self.rec_blocks + 2)


def conv3x3(channels_in: int, channels_out: int) -> nn.Conv2d:
    return nn.Conv2d(channels_in, channels_out, 3, padding=1)


class ResidualBlock(nn.Module):
    """x + conv(relu(conv(x))); without batch normalisation, as in EDSR."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = conv3x3(width, width)
        self.second = conv3x3(width, width)
        with torch.no_grad():
            self.second.weight.mul_(0.1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.second(F.relu(self.first(x), inplace=True))  # type: ignore[no-any-return]


class FoldedTrunk(nn.Module):
    """A residual net at low resolution: unshuffle by `fold_in`, `blocks` residual blocks, shuffle by `fold_out`."""

    def __init__(self, *, fold_in: int, fold_out: int, width: int, blocks: int) -> None:
        super().__init__()
        self.fold_in, self.fold_out = fold_in, fold_out
        self.head = conv3x3(3 * fold_in**2 + 1, width)  # one more plane tells the coarseness of the quantisation
        self.body = nn.Sequential(*(ResidualBlock(width) for _ in range(blocks)))
        self.tail = conv3x3(width, 3 * fold_out**2)
        with torch.no_grad():
            self.tail.weight.mul_(TAIL_GAIN)
            if self.tail.bias is not None:
                self.tail.bias.zero_()

    def forward(self, x: Tensor, log_step: Tensor) -> Tensor:
        """Residual of shape (B, 3, H / fold_in * fold_out, ...) for x (B, 3, H, W) and log_step (B,) = log2(step)."""
        folded = F.pixel_unshuffle(x - 0.5, self.fold_in)  # (B, 3 f^2, H/f, W/f)
        plane = (log_step / 3.0).view(-1, 1, 1, 1).expand(-1, 1, *folded.shape[2:])
        h = self.head(torch.cat([folded, plane.to(folded.dtype)], dim=1).contiguous(memory_format=torch.channels_last))
        return F.pixel_shuffle(self.tail(h + self.body(h)), self.fold_out)


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
        self.trunk = FoldedTrunk(
            fold_in=arch.fold, fold_out=arch.fold // arch.scale, width=arch.com_width, blocks=arch.com_blocks
        )

    def forward(self, x: Tensor, log_step: Tensor) -> Tensor:
        """Map x (B, 3, H, W) in [0, 1], sides multiples of fold, to the compact image (B, 3, H/scale, W/scale)."""
        residual: Tensor = self.trunk(x, log_step)
        return downscale(x, self.scale) + residual


class RecCNN(nn.Module):
    """The reconstruction network: decoded compact picture in, full-size picture out."""

    def __init__(self, arch: Architecture) -> None:
        super().__init__()
        self.scale = arch.scale
        self.trunk = FoldedTrunk(
            fold_in=arch.fold // arch.scale, fold_out=arch.fold, width=arch.rec_width, blocks=arch.rec_blocks
        )

    def forward(self, compact: Tensor, log_step: Tensor) -> Tensor:
        """Map a decoded compact image (B, 3, h, w) in [0, 1] to (B, 3, h * scale, w * scale), not clamped."""
        residual: Tensor = self.trunk(compact, log_step)
        return upscale(compact, self.scale) + residual


class DoubleNetwork(nn.Module):
    """ComCNN, RecCNN and the quantisation tables that were learned with them.

    `log_tables` (2, 8, 8) holds the natural logarithms of the luma and chroma tables at step 1.
    """

    def __init__(self, arch: Architecture) -> None:
        super().__init__()
        from batchcomp.codec.tables import initial_log_tables  # noqa: PLC0415  (tables need no torch)

        self.arch = arch
        self.com = ComCNN(arch)
        self.rec = RecCNN(arch)
        self.log_tables = nn.Parameter(torch.from_numpy(initial_log_tables()).float())

    def placed(self, device: torch.device | str = "cpu") -> Self:
        """Move to a device, in channels_last layout: twice the speed of the default one at 48 to 96 channels."""
        self.to(device)
        return self.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]
