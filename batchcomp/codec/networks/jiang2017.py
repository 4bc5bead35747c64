"""The double network of Jiang et al. 2017: ComCNN of 3 layers, RecCNN of 20 at full resolution, both in RGB.

    compact        = bicubic_down(image) + ComCNN residual
    reconstruction = bicubic_up(JPEG(compact)) + RecCNN residual

After Jiang et al. 2017, arXiv 1708.00838, figures 2 and 3, with batch normalisation as in Zhang et al. 2016 (DnCNN,
arXiv 1608.03981). One thing is added: ComCNN, too, predicts a residual, around the bicubic half size. Both last layers
start at zero, so an untrained model is exactly "bicubic + JPEG".
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  (the name every torch reader expects)
from torch.nn.utils.fusion import fuse_conv_bn_eval

from batchcomp.codec.networks.base import CodecNetwork, conv3x3
from batchcomp.codec.networks.jiang2017_shape import SCALE, Jiang2017Architecture
from batchcomp.codec.resample import downscale, upscale
from batchcomp.codec.tables import ANNEX_K_CHROMA, ANNEX_K_LUMA, tables_at

NOISE = 0.3  # of a usual start, on top of the identity
SHIFT = 1.0  # of a normalised channel, in its standard deviations: this much of it passes the ReLU at the start
TABLE_GAIN = 0.4  # at coarseness 1 (quality 61); coarsest 3.6 (libjpeg's quality 14), finest .1 (quality 95)


class Jiang2017ComCNN(nn.Module):
    """Three layers 3x3: 3 -> width, width -> width with stride 2, width -> 3."""

    def __init__(self, arch: Jiang2017Architecture) -> None:
        super().__init__()
        self.first = conv3x3(3, arch.width)
        self.halving = nn.Conv2d(arch.width, arch.width, 3, stride=SCALE, padding=1)
        self.last = _starting_at_zero(conv3x3(arch.width, 3))

    def forward(self, x: Tensor, _log_coarseness: Tensor | None = None) -> Tensor:
        """Map x (B, 3, H, W) in [0, 1], sides even, to the compact image (B, 3, H/2, W/2), whatever the quality."""
        h = F.relu(self.first(x - 0.5), inplace=True)  # (B, width, H, W)
        h = F.relu(self.halving(h), inplace=True)  # (B, width, H/2, W/2)
        return downscale(x, SCALE) + self.last(h)  # type: ignore[no-any-return]


class Jiang2017RecCNN(nn.Module):
    """Layers 3x3 at full resolution: conv + ReLU, then conv + batch normalisation + ReLU, then conv.

    For use, the normalisation is fused into the convolutions (`fused`); only training keeps it apart.
    """

    def __init__(self, arch: Jiang2017Architecture, *, normalised: bool = False) -> None:
        super().__init__()
        inner = range(arch.layers - 2)
        self.first = conv3x3(3, arch.width)
        # a bias before a normalisation has no effect
        self.inner = nn.ModuleList(nn.Conv2d(arch.width, arch.width, 3, padding=1, bias=not normalised) for _ in inner)
        self.norms = nn.ModuleList(nn.BatchNorm2d(arch.width) if normalised else nn.Identity() for _ in inner)
        self.last = _starting_at_zero(conv3x3(arch.width, 3))
        for conv, norm in zip(self.inner, self.norms, strict=True):
            _start_near_identity(conv, norm)

    def forward(self, compact: Tensor, _log_coarseness: Tensor | None = None) -> Tensor:
        """Map a decoded compact image (B, 3, h, w) in [0, 1] to (B, 3, 2h, 2w), not clamped, whatever the quality."""
        upscaled = upscale(compact, SCALE)
        return upscaled + self.residual(upscaled)

    def residual(self, upscaled: Tensor) -> Tensor:
        """What an upscaled picture (B, 3, H, W) lacks, same shape."""
        h = F.relu(self.first(upscaled - 0.5), inplace=True)  # (B, width, H, W)
        for conv, norm in zip(self.inner, self.norms, strict=True):
            h = F.relu(norm(conv(h)), inplace=True)
        return self.last(h)  # type: ignore[no-any-return]

    def fused_state(self) -> Iterator[tuple[str, Tensor]]:
        """Weights of the same function, at its running statistics, without normalisation."""
        for name, layer in (("first", self.first), ("last", self.last)):
            yield from ((f"{name}.{key}", value) for key, value in layer.state_dict().items())
        for number, (conv, norm) in enumerate(zip(self.inner, self.norms, strict=True)):
            yield from ((f"inner.{number}.{key}", value) for key, value in _fused(conv, norm).state_dict().items())


def _fused(conv: nn.Module, norm: nn.Module) -> nn.Module:
    """A convolution that does what `conv` and then `norm` do, both as they are in use."""
    if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
        # copies, since fusing takes both in evaluation mode and these may be in training
        return fuse_conv_bn_eval(deepcopy(conv).eval(), deepcopy(norm).eval())
    return conv


def _starting_at_zero(conv: nn.Conv2d) -> nn.Conv2d:
    nn.init.zeros_(conv.weight)
    nn.init.zeros_(conv.bias)  # type: ignore[arg-type]
    return conv


@torch.no_grad()
def _start_near_identity(conv: nn.Module, norm: nn.Module) -> None:
    """Let what the first layer sees reach the last one from the start.

    Started at random, 18 layers blur the picture so much that hundreds of steps pass before the last layer finds
    anything to go by.
    """
    assert isinstance(conv, nn.Conv2d)  # noqa: S101  (for the type checker)
    nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
    conv.weight.mul_(NOISE).add_(nn.init.dirac_(torch.empty_like(conv.weight)))
    if isinstance(norm, nn.BatchNorm2d):
        nn.init.constant_(norm.bias, SHIFT)


def annex_k_log_tables() -> NDArray[np.float64]:
    """Natural logarithms (2, 8, 8) of the tables at coarseness 1: those of annex K, times `TABLE_GAIN`; not learned."""
    return np.log(TABLE_GAIN * np.array([ANNEX_K_LUMA, ANNEX_K_CHROMA], dtype=np.float64))


class Jiang2017Network(CodecNetwork):
    """ComCNN and RecCNN; the quantisation tables are the standard's, scaled by the coarseness."""

    shape = Jiang2017Architecture
    arch: Jiang2017Architecture
    com: Jiang2017ComCNN
    rec: Jiang2017RecCNN

    def __init__(self, arch: Jiang2017Architecture, *, normalised: bool = False) -> None:
        super().__init__()
        self.arch = arch
        self.com = Jiang2017ComCNN(arch)
        self.rec = Jiang2017RecCNN(arch, normalised=normalised)
        self.register_buffer("log_tables", torch.from_numpy(annex_k_log_tables()).float())

    def log_tables_at(self, coarseness: Tensor) -> Tensor:
        """Natural logarithms (B, 2, 8, 8) of the tables at coarsenesses (B,), before rounding."""
        return self.log_tables + torch.log(coarseness).view(-1, 1, 1, 1)

    def tables_at(self, coarseness: float) -> NDArray[np.int64]:
        """Whole-number tables (2, 8, 8) in 1..255, as a baseline JPEG stores them, at a coarseness."""
        return tables_at(self.log_tables.cpu().numpy(), coarseness)

    def placed(self, device: torch.device | str = "cpu") -> Self:
        """Move to a device; the layout stays the default one, which trains twice as fast at large crops."""
        return self.to(device)

    def fused(self) -> Jiang2017Network:
        """The same nets for use: no batch normalisation, no gradients."""
        twin = Jiang2017Network(self.arch)
        twin.com.load_state_dict(self.com.state_dict())
        twin.rec.load_state_dict(dict(self.rec.fused_state()))
        return twin.eval().requires_grad_(requires_grad=False)
