"""What training minimises: distortion in logarithms, plus the rate."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from batchcomp.codec.tables import COARSEST_STEP
from batchcomp.metrics.ms_ssim_torch import ms_ssim_batch
from batchcomp.metrics.ssimulacra2_torch import ssimulacra2_distance

USUAL_DISTANCE, USUAL_POWER = 0.0145, 0.77  # 1 - MS-SSIM of the dev photos at step 1, and its growth over the step
MAX_WEIGHT = 3.0
EDGE = 3  # pixels
SHARE_RISES_FROM = 0.7  # in steps: finer than that, JPEG's PSNR is close
SSIMULACRA2_FROM, SSIMULACRA2_FULL = 1.0, 0.4  # in steps: where it is coarser, SSIMULACRA2 is far above JPEG's anyway


@dataclass(frozen=True, kw_only=True)
class LossWeights:
    """Weights of the mixed loss; see `mixed_loss`."""

    ms_ssim: float = 0.75  # share of ln(1 - MS-SSIM) at fine steps; the rest goes to ln(MSE)
    ms_ssim_coarse: float = 0.97  # the same at the coarsest step, where PSNR is far above JPEG's anyway
    ssimulacra2: float = 0.2  # share of ln(SSIMULACRA2's distance) in the distortion at fine steps
    local_mean: float = 5.0  # keeps brightness and colour, which MS-SSIM hardly sees
    rate: float = 1.6  # of a bit per pixel at step 1
    rate_power: float = 0.85  # its growth over the step: less, and the qualities crowd in the middle
    hard: float = 0.0  # how much more a picture counts that is harder than usual: 0 all alike, 1 by its distance
    edge: float = 3.0  # keeps the outermost pixels, which MS-SSIM's windows hardly reach
    range: float = 10.0  # pulls the compact image into [0, 1], where 8 bits can hold it


@dataclass(frozen=True, kw_only=True)
class Losses:
    """Mean over the batch; `total` carries the gradient."""

    total: Tensor
    one_minus_ms_ssim: Tensor
    mse: Tensor
    bpp: Tensor


def outside_range(compact: Tensor) -> Tensor:
    """Mean distance (B,) of compact values from [0, 1]."""
    return (F.relu(-compact) + F.relu(compact - 1)).mean(dim=(1, 2, 3))


def edge_error(x: Tensor, y: Tensor) -> Tensor:
    """Mean absolute difference (B,) of the outermost `EDGE` pixels of pictures (B, C, H, W)."""
    difference = (x - y).abs()
    inner = difference[:, :, EDGE:-EDGE, EDGE:-EDGE]
    sums = difference.sum(dim=(1, 2, 3)) - inner.sum(dim=(1, 2, 3))
    return sums / (difference[0].numel() - inner[0].numel())


def ms_ssim_share(step: Tensor, weights: LossWeights) -> Tensor:
    """Share a (B,) of MS-SSIM in the distortion: `ms_ssim` up to step 0.7, then rising evenly in log2(step)."""
    low, high = math.log2(SHARE_RISES_FROM), math.log2(COARSEST_STEP)
    position = ((torch.log2(step) - low) / (high - low)).clamp(0, 1)
    return weights.ms_ssim + (weights.ms_ssim_coarse - weights.ms_ssim) * position


def ssimulacra2_share(step: Tensor, weights: LossWeights) -> Tensor:
    """Share b (B,) of SSIMULACRA2 in the distortion: all of it up to step 0.4, none from 1 on, evenly in log2."""
    low, high = math.log2(SSIMULACRA2_FULL), math.log2(SSIMULACRA2_FROM)
    return weights.ssimulacra2 * ((high - torch.log2(step)) / (high - low)).clamp(0, 1)


def hardness(distance: Tensor, step: Tensor, weights: LossWeights) -> Tensor:
    """Weight (B,) of a picture's distortion: 1 where its 1 - MS-SSIM is the usual one at its step.

    Means over pictures, as every table gives them, are ruled by the hard ones; logarithms alone make all count alike.
    """
    usual = USUAL_DISTANCE * step**USUAL_POWER
    return ((distance.detach() / usual) ** weights.hard).clamp(1 / MAX_WEIGHT, MAX_WEIGHT)


def mixed_loss(  # noqa: PLR0913, PLR0917  (the terms of one formula)
    x: Tensor, restored: Tensor, compact: Tensor, bits: Tensor, step: Tensor, weights: LossWeights
) -> Losses:
    """Return h D + w |mean16(x - y)| + e |x - y|edge + lambda step^p bpp, mean over the batch.

    The distortion D is (1 - b) (a ln(1 - MS-SSIM) + (1 - a) ln(MSE)) + b ln(S), with S as in `ssimulacra2_distance`;
    h, a and b are `hardness`, `ms_ssim_share` and `ssimulacra2_share`.

    Logarithms weigh fine and coarse qualities alike: 1 - MS-SSIM itself spans a factor of 20 between them. A bit buys
    the less of them the more there are, about as 1 / bpp, so what it may cost has to grow with the step, or tables that
    can change shape would make coarse and fine qualities alike.

    Args:
        x: originals (B, 3, H, W) in [0, 1].
        restored: reconstructions, same shape, not clamped.
        compact: ComCNN's output before the codec.
        bits: estimated bits per picture (B,).
        step: coarseness of the quantisation tables (B,).
        weights: those of a, b, h, w, e, lambda, its power p, and of the range penalty.
    """
    bpp = bits / (x.shape[2] * x.shape[3])
    mse = (restored - x).square().mean(dim=(1, 2, 3))
    # MS-SSIM on clamped values (as users get them), but with a gradient for values outside.
    clamped = restored + (restored.clamp(0, 1) - restored).detach()
    distance = 1 - ms_ssim_batch(clamped, x)
    mean_shift = (F.avg_pool2d(restored, 16) - F.avg_pool2d(x, 16)).abs().mean(dim=(1, 2, 3))
    share, seen = ms_ssim_share(step, weights), ssimulacra2_share(step, weights)
    distortion = share * torch.log(distance + 1e-4) + (1 - share) * torch.log(mse + 1e-6)
    fine = seen > 0
    if bool(fine.any()):
        by_eye = torch.log(ssimulacra2_distance(clamped[fine], x[fine]) + 1e-2)
        distortion = (1 - seen) * distortion + torch.zeros_like(seen).masked_scatter(fine, seen[fine] * by_eye)
    total = (
        weights.edge * edge_error(restored, x)
        + hardness(distance, step, weights) * distortion
        + weights.local_mean * mean_shift
        + weights.rate * step**weights.rate_power * bpp
        + weights.range * outside_range(compact)
    )
    return Losses(total=total.mean(), one_minus_ms_ssim=distance.mean(), mse=mse.mean(), bpp=bpp.mean())
