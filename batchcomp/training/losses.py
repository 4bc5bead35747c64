"""What joint training minimises: distortion in logarithms, plus the rate; the terms are `metrics.objective`'s."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from batchcomp.metrics.objective import (
    LossWeights,
    Phase,
    as_shown,
    edge_error,
    hardness,
    local_mean_error,
    log_distortion,
    mean_square,
    ms_ssim_distance,
    ms_ssim_share,
    outside_range,
    rate_weight,
    seen_at,
    with_ssimulacra2,
)


@dataclass(frozen=True, kw_only=True)
class Losses:
    """Mean over the batch; `total` carries the gradient."""

    total: Tensor
    one_minus_ms_ssim: Tensor
    mse: Tensor
    bpp: Tensor


@dataclass(frozen=True, kw_only=True)
class Coded:
    """Originals x (B, 3, H, W) in [0, 1] after their way through the codec.

    Attributes:
        restored: reconstructions, x's shape, not clamped.
        compact: ComCNN's output before the codec.
        bits: estimated bits per picture (B,).
        coarseness: of the quantisation tables (B,).
    """

    restored: Tensor
    compact: Tensor
    bits: Tensor
    coarseness: Tensor


def mixed_loss(x: Tensor, coded: Coded, weights: LossWeights, phase: Phase = (0, 0)) -> Losses:
    """Return the objective of `metrics.objective`, mean over the batch, of originals x (B, 3, H, W) in [0, 1].

    The two metrics see the pictures at a `phase` of their grid.
    """
    restored, coarseness = coded.restored, coded.coarseness
    bpp = coded.bits / (x.shape[2] * x.shape[3])
    mse, shown, target = mean_square(restored, x), seen_at(as_shown(restored), phase), seen_at(x, phase)
    distance = ms_ssim_distance(shown, target)
    distortion = log_distortion(distance, mse, ms_ssim_share(coarseness, weights))
    distortion = with_ssimulacra2(distortion, shown, target, weights.ssimulacra2)
    total = (
        weights.edge * edge_error(restored, x)
        + hardness(distance, coarseness, weights) * distortion
        + weights.local_mean * local_mean_error(restored, x)
        + rate_weight(coarseness, weights.rate, weights.rate_power) * bpp
        + weights.range * outside_range(coded.compact)
        + weights.compact_mean * local_mean_error(x, coded.compact)
    )
    return Losses(total=total.mean(), one_minus_ms_ssim=distance.mean(), mse=mse.mean(), bpp=bpp.mean())
