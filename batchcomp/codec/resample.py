"""Bicubic resampling: torch's own, with gradients, and enlargement that is the same on every machine."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  (the name every torch reader expects)

from batchcomp.codec.whole_numbers import DOUBLING_REACH, EXACT_SCALE, doubling


def downscale(x: Tensor, scale: int) -> Tensor:
    """Bicubic, antialiased (a = -0.5, as Pillow): (B, 3, H, W) -> (B, 3, H / scale, W / scale)."""
    if scale == 1:
        return x
    turned = x.shape[3] == scale  # torch is wrong where the answer has a single column, not where it has a single row
    x = x.transpose(2, 3).contiguous() if turned else x
    answer = F.interpolate(x, scale_factor=1 / scale, mode="bicubic", antialias=True)
    return answer.transpose(2, 3) if turned else answer


def upscale(x: Tensor, scale: int) -> Tensor:
    """Bicubic (a = -0.75, torch's): (B, 3, h, w) -> (B, 3, h * scale, w * scale)."""
    if scale == 1:
        return x
    return F.interpolate(x, scale_factor=scale, mode="bicubic", align_corners=False)


def upscale_exactly(x: Tensor, scale: int) -> Tensor:
    """What `upscale` gives of whole numbers from -128 to 127, (B, 3, h, w), by 1 or 2: the same on every machine.

    Raises:
        ValueError: another scale has weights whose sums float32 does not hold.
    """
    if scale == 1:
        return x
    if scale != EXACT_SCALE:
        raise ValueError(f"scale {scale}: exact enlargement is by 1 or {EXACT_SCALE}")
    edged = F.pad(x, [DOUBLING_REACH] * 4, mode="replicate")
    return F.pixel_shuffle(F.conv2d(edged, torch.from_numpy(doubling()).to(x)), EXACT_SCALE)
