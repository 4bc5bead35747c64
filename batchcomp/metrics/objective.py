"""The terms that training minimises and refinement of one picture (`--effort`) aims at.

    objective = h D + w |mean16(x - y)| + e |x - y|edge + lambda c^p bpp
                + r |compact outside [0, 1]| + v |mean16(x) - mean of the same area of compact|
    D = (1 - b) (a ln(1 - MS-SSIM) + (1 - a) ln(MSE)) + b ln(S)

with S as in `ssimulacra2_distance`, c the coarseness of the quantisation tables, h the `hardness`, a the
`ms_ssim_share`, b the weight `ssimulacra2`. Logarithms weigh fine and coarse qualities alike: 1 - MS-SSIM spans a
factor of 20 between them. A bit buys the less of them the more there are, about as 1 / bpp, so what it may cost has to
grow with the coarseness, or tables that can change shape would make coarse and fine qualities alike.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from batchcomp.metrics.ms_ssim_torch import ms_ssim_batch
from batchcomp.metrics.ssimulacra2_torch import MIN_SIDE, ssimulacra2_distance

USUAL_DISTANCE, USUAL_POWER = 0.0145, 0.77  # 1 - MS-SSIM of the dev photos at coarseness 1, and its growth with it
MAX_WEIGHT = 3.0
PHASES: Final = 8  # of the metrics' grid that are told apart, both ways: those of three halvings
EDGE = 3  # pixels
AREA = 16  # pixels, the side of what local means are of
SHARE_RISES_FROM, SHARE_RISES_TO = 0.7, 9.0  # coarsenesses: at finer ones JPEG's PSNR is close

Phase = tuple[int, int]  # rows and columns, 0 to PHASES - 1


@dataclass(frozen=True, kw_only=True)
class LossWeights:
    """Weights of the terms."""

    ms_ssim: float = 0.75  # share of ln(1 - MS-SSIM) at fine tables; the rest goes to ln(MSE)
    ms_ssim_coarse: float = 0.97  # the same at the coarsest, where PSNR is far above JPEG's anyway
    ssimulacra2: float = 0.6  # share of ln(SSIMULACRA2's distance) in the distortion; with more, MS-SSIM pays for it
    local_mean: float = 5.0  # keeps brightness and colour, which MS-SSIM hardly sees
    rate: float = 1.6  # of a bit per pixel at coarseness 1
    rate_power: float = 0.85  # its growth with the coarseness: less, and the qualities crowd in the middle
    hard: float = 0.6  # how much more a picture counts that is harder than usual: 0 all alike, 1 by its distance
    edge: float = 3.0  # keeps the outermost pixels, which MS-SSIM's windows hardly reach
    range: float = 10.0  # pulls the compact image into [0, 1], where 8 bits can hold it
    compact_mean: float = 2.0  # keeps the compact image's contrast, which viewers show, against the pull into [0, 1]


# At full size a bit buys about as much at all rates, which are high: the weight of the rate hardly changes.
FULL_SIZE = LossWeights(ms_ssim_coarse=0.75, rate=0.9, rate_power=0.15, hard=0.0)


def weights_at(scale: int) -> LossWeights:
    """The weights with which the shipped networks of a scale learned: 1 is full size."""
    return FULL_SIZE if scale == 1 else LossWeights()


def as_shown(restored: Tensor) -> Tensor:
    """Pictures clamped to [0, 1], as users get them, but with a gradient for values outside."""
    return restored + (restored.clamp(0, 1) - restored).detach()


def seen_at(pictures: Tensor, phase: Phase) -> Tensor:
    """Pictures (B, C, H, W) less `PHASES` rows and columns, of which so many at the top and on the left.

    MS-SSIM and SSIMULACRA2 halve pictures by means of 2 x 2 pixels, again and again. Seen at one phase of that grid
    only, networks that halve pictures themselves learn errors that cancel in these means, and nowhere else.
    """
    (top, left), (height, width) = phase, pictures.shape[2:]
    return pictures[:, :, top : height - PHASES + top, left : width - PHASES + left]


def mean_square(y: Tensor, x: Tensor) -> Tensor:
    """Mean squared error (B,) of pictures (B, C, H, W)."""
    return (y - x).square().mean(dim=(1, 2, 3))


def ms_ssim_distance(shown: Tensor, x: Tensor) -> Tensor:
    """1 - MS-SSIM (B,) of pictures (B, C, H, W) in [0, 1], sides of at least 161 px."""
    return 1 - ms_ssim_batch(shown, x)


def log_distortion(distance: Tensor, mse: Tensor, share: Tensor | float) -> Tensor:
    """Share * ln(1 - MS-SSIM) + (1 - share) * ln(MSE), of any shape; never infinite."""
    return share * torch.log(distance + 1e-4) + (1 - share) * torch.log(mse + 1e-6)


def with_ssimulacra2(distortion: Tensor, shown: Tensor, x: Tensor, share: float) -> Tensor:
    """(1 - share) * distortion + share * ln(SSIMULACRA2's distance), each (B,).

    It is the distortion itself where pictures are smaller than SSIMULACRA2's scales need.
    """
    if not share or min(x.shape[-2:]) < MIN_SIDE:
        return distortion
    return (1 - share) * distortion + share * torch.log(ssimulacra2_distance(shown, x) + 1e-2)


def outside_range(compact: Tensor) -> Tensor:
    """Mean distance (B,) of compact values from [0, 1]."""
    return (F.relu(-compact) + F.relu(compact - 1)).mean(dim=(1, 2, 3))


def edge_error(x: Tensor, y: Tensor) -> Tensor:
    """Mean absolute difference (B,) of the outermost `EDGE` pixels of pictures (B, C, H, W)."""
    difference = (x - y).abs()
    inner = difference[:, :, EDGE:-EDGE, EDGE:-EDGE]
    sums = difference.sum(dim=(1, 2, 3)) - inner.sum(dim=(1, 2, 3))
    return sums / (difference[0].numel() - inner[0].numel())


def local_mean_error(x: Tensor, y: Tensor) -> Tensor:
    """Mean absolute difference (B,) of the means of 16 x 16 pixels of x; y may be smaller, its sides a whole part."""
    return (F.avg_pool2d(x, AREA) - F.avg_pool2d(y, AREA * y.shape[-1] // x.shape[-1])).abs().mean(dim=(1, 2, 3))


def ms_ssim_share(coarseness: Tensor, weights: LossWeights) -> Tensor:
    """Share a (B,) of MS-SSIM in the distortion: `ms_ssim` up to coarseness 0.7, then rising evenly in its log2."""
    low, high = math.log2(SHARE_RISES_FROM), math.log2(SHARE_RISES_TO)
    position = ((torch.log2(coarseness) - low) / (high - low)).clamp(0, 1)
    return weights.ms_ssim + (weights.ms_ssim_coarse - weights.ms_ssim) * position


def rate_weight(coarseness: Tensor, rate: float, power: float) -> Tensor:
    """What a bit per pixel may cost (B,)."""
    return rate * coarseness**power


def hardness(distance: Tensor, coarseness: Tensor, weights: LossWeights) -> Tensor:
    """Weight (B,) of a picture's distortion: 1 where its 1 - MS-SSIM is the usual one at its coarseness.

    Means over pictures, as every table gives them, are ruled by the hard ones; logarithms alone make all count alike.
    """
    usual = USUAL_DISTANCE * coarseness**USUAL_POWER
    return ((distance.detach() / usual) ** weights.hard).clamp(1 / MAX_WEIGHT, MAX_WEIGHT)
