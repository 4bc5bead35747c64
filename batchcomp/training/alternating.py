"""Alternating training: RecCNN and ComCNN learn in turns, around the real JPEG, which has no gradient.

RecCNN's turn: a photo goes through ComCNN and the real codec; RecCNN learns the residual between the photo and what
came out of the codec, upscaled. ComCNN's turn: the codec counts as perfect, so the gradient runs from the restored
photo through RecCNN, frozen, and the bicubic upscaling into ComCNN.

After Jiang et al. 2017, arXiv 1708.00838, section III, as adapted by the project that this one grew from.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from batchcomp.codec import jpeg
from batchcomp.codec.networks.jiang2017 import Jiang2017Network
from batchcomp.codec.networks.jiang2017_shape import SCALE
from batchcomp.codec.resample import upscale
from batchcomp.images.picture import Pixels
from batchcomp.metrics.objective import as_shown, log_distortion, mean_square, ms_ssim_distance, rate_weight
from batchcomp.training import jpeg_proxy

LossName = Literal["mse", "ms-ssim", "mixed"]
LOSSES: tuple[LossName, ...] = get_args(LossName)
MS_SSIM_SHARE = 0.6  # of the mixed loss
RATE_POWER = 0.5  # how the weight of the bits grows with the coarseness


@dataclass(frozen=True, kw_only=True)
class TurnLoss:
    """What one step found. `total` carries the gradient; `bpp` is estimated: in files so small, headers drown bits."""

    total: Tensor
    mse: Tensor
    bpp: Tensor


def rec_turn(network: Jiang2017Network, x: Tensor, coarseness: Tensor, loss: LossName, workers: Executor) -> TurnLoss:
    """RecCNN learns the residual that the real codec leaves; ComCNN only delivers.

    Args:
        network: both nets.
        x: photos (B, 3, H, W) in [0, 1], sides multiples of 16.
        coarseness: of the quantisation tables (B,).
        loss: how two pictures are compared; "mse" compares residual and missing part, which is the same thing.
        workers: run the codec.
    """
    network.com.requires_grad_(False).eval()
    network.rec.requires_grad_(True).train()
    with torch.no_grad():
        compact = network.com(x)  # (B, 3, H/2, W/2)
    decoded = through_codec(compact, coarseness, network.tables_at, workers)
    upscaled = upscale(decoded, SCALE)  # (B, 3, H, W)
    restored = upscaled + network.rec.residual(upscaled)
    bpp = estimated_bpp(network, compact, coarseness).mean()
    return TurnLoss(total=distance(restored, x, loss), mse=mean_square(restored, x).mean(), bpp=bpp)


def com_turn(network: Jiang2017Network, x: Tensor, coarseness: Tensor, loss: LossName, rate: float) -> TurnLoss:
    """ComCNN learns what RecCNN, frozen, restores best, as if the codec were perfect: 8 bits, but no loss.

    A perfect codec has no rate either. With `rate` above 0, the loss gains rate * sqrt(coarseness) * estimated bpp,
    which holds the compact picture to what JPEG codes well.

    Args:
        network: both nets.
        x: photos (B, 3, H, W) in [0, 1], sides multiples of 16.
        coarseness: at which the bits are estimated (B,).
        loss: how two pictures are compared.
        rate: weight of the estimated bits per pixel of x.
    """
    network.com.requires_grad_(True).train()
    network.rec.requires_grad_(False).eval()  # its batch statistics stay, too
    compact = network.com(x).clamp(0, 1)  # (B, 3, H/2, W/2)
    restored = network.rec(compact)  # (B, 3, H, W)
    bpp = estimated_bpp(network, compact, coarseness)  # (B,)
    total = distance(restored, x, loss)
    if rate > 0:
        total = total + (rate_weight(coarseness, rate, RATE_POWER) * bpp).mean()
    return TurnLoss(total=total, mse=mean_square(restored, x).mean(), bpp=bpp.mean())


def through_codec(
    compact: Tensor, coarseness: Tensor, tables_at: Callable[[float], NDArray[np.int64]], workers: Executor
) -> Tensor:
    """Write compact pictures (B, 3, h, w) as real JPEG files and read them back, one task a picture.

    Returns:
        The decoded pictures (B, 3, h, w) in [0, 1], without a gradient.
    """
    pixels = (compact.clamp(0, 1) * 255).round().to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()

    def one(picture: Pixels, at: float) -> Pixels:
        return jpeg.decode(jpeg.encode(picture, tables_at(at)))[0]

    decoded = np.stack(list(workers.map(one, pixels, coarseness.tolist())))
    return torch.from_numpy(decoded).to(compact.device).permute(0, 3, 1, 2).float().div(255).contiguous()


def estimated_bpp(network: Jiang2017Network, compact: Tensor, coarseness: Tensor) -> Tensor:
    """Estimated bits (B,) per pixel of the original for compact pictures (B, 3, H/2, W/2), sides multiples of 8."""
    _, bits = jpeg_proxy.jpeg(compact, network.log_tables_at(coarseness))
    return bits / (compact.shape[2] * compact.shape[3] * SCALE**2)


def distance(restored: Tensor, x: Tensor, loss: LossName) -> Tensor:
    """How far restored pictures (B, 3, H, W) are from x.

    "mse" is the mean squared error; "ms-ssim" 1 - MS-SSIM (sides of 176 px or more); "mixed" is
    0.6 ln(1 - MS-SSIM) + 0.4 ln(MSE) of each picture, which weighs fine and coarse qualities alike.
    """
    if loss == "mse":
        return mean_square(restored, x).mean()
    unlike = ms_ssim_distance(as_shown(restored), x)  # (B,)
    if loss == "ms-ssim":
        return unlike.mean()
    return log_distortion(unlike, mean_square(restored, x), MS_SSIM_SHARE).mean()
