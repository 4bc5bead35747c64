"""Differentiable SSIMULACRA2 for training.

Sneyers: "SSIMULACRA 2", 2022, github.com/cloudinary/ssimulacra2: structural similarity, new edges and lost edges in
the XYB colours of JPEG XL at six scales, each as a mean and as a fourth-power mean, weighted to agree with people.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional

from batchcomp.metrics.ssim_window import TAPS
from batchcomp.metrics.ssimulacra2_weights import BIAS, C2, SCALES, TO_LMS, WEIGHTS, B, X, Y
from batchcomp.metrics.windows import gaussian_taps

MIN_SIDE = 8 * 2 ** (SCALES - 1)


def ssimulacra2_distance(x: Tensor, y: Tensor) -> Tensor:
    """Return how far pictures are from their references: SSIMULACRA2's weighted sum of errors.

    Args:
        x: Pictures, float sRGB (B, 3, H, W) in [0, 1], sides of at least 128 px.
        y: Their references, same shape.

    Returns:
        Float (B,), 0 for equal pictures, about 1.6 for a score of 77. Differentiable in `x`.

    Raises:
        ValueError: The shapes differ or a side is below 128 px.
    """
    if x.shape != y.shape or x.dim() != 4 or x.shape[1] != len((X, Y, B)):
        raise ValueError(f"two batches of one shape (B, 3, H, W) expected, got {tuple(x.shape)} and {tuple(y.shape)}")
    if min(x.shape[-2:]) < MIN_SIDE:
        raise ValueError(f"pictures of {x.shape[-1]}x{x.shape[-2]} px: sides of {MIN_SIDE} px or more are needed")
    light_x, light_y = to_linear(x), to_linear(y)
    total = x.new_zeros(len(x))
    for scale in range(SCALES):
        if scale:
            light_x, light_y = halve(light_x), halve(light_y)
        weights = {channel: of for (at, channel), of in WEIGHTS.items() if at == scale}
        channels = sorted(weights)
        planes = (to_xyb(light).unbind(1) for light in (light_x, light_y))
        maps = error_maps(*(torch.stack([those[channel] for channel in channels], 1) for those in planes))
        for i, channel in enumerate(channels):
            for error, (by_mean, by_fourth) in zip(maps, weights[channel], strict=True):
                total = total + by_mean * error[:, i].mean((1, 2)) if by_mean else total
                total = total + by_fourth * fourth_power_mean(error[:, i]) if by_fourth else total
    return total


def score_of(distance: Tensor) -> Tensor:
    """SSIMULACRA2's score, 100 for equal pictures, of `ssimulacra2_distance`, same shape."""
    d = 0.9562382616834844 * distance
    d = 2.326765642916932 * d - 0.020884521182843837 * d**2 + 6.248496625763138e-05 * d**3
    return 100 - 10 * d.clamp(min=0) ** 0.6276336467831387


def to_linear(rgb: Tensor) -> Tensor:
    """SRGB (IEC 61966-2-1) in [0, 1] to linear light."""
    steep = ((rgb.clamp(min=0.04045) + 0.055) / 1.055) ** 2.4
    return torch.where(rgb <= 0.04045, rgb / 12.92, steep)


def to_xyb(light: Tensor) -> Tensor:
    """Linear RGB (B, 3, H, W) to XYB, shifted and scaled to positive values as SSIMULACRA2 does it."""
    mixed = torch.einsum("cd,bdhw->bchw", _to_lms(light.dtype, light.device), light) + BIAS
    long, medium, short = (mixed.clamp(min=1e-6) ** (1 / 3) - BIAS ** (1 / 3)).unbind(1)
    y = (long + medium) / 2
    return torch.stack([7 * (long - medium) + 0.42, y + 0.01, short - y + 0.55], 1)


def error_maps(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Errors (B, C, H, W) of structure, by edges that `x` has and `y` has not, and by those that it lost."""
    mu_x, mu_y, power, product = blur(torch.stack([x, y, x * x + y * y, x * y])).unbind()
    mu_xy, mu_sq = mu_x * mu_y, mu_x * mu_x + mu_y * mu_y
    similarity = (1 - (mu_x - mu_y) ** 2) * (2 * (product - mu_xy) + C2) / (power - mu_sq + C2)
    edges = (1 + (x - mu_x).abs()) / (1 + (y - mu_y).abs()) - 1
    return (1 - similarity).clamp(min=0), edges.clamp(min=0), (-edges).clamp(min=0)


def fourth_power_mean(error: Tensor) -> Tensor:
    """(B, H, W) -> (B,): what is off most counts most. Never quite zero, where its slope would be infinite."""
    return (error.square().square().mean((1, 2)) + 1e-18) ** 0.25


def halve(light: Tensor) -> Tensor:
    """Mean of 2 x 2 pixels; of those there are at an odd side's end."""
    return functional.avg_pool2d(light, 2, ceil_mode=True, count_include_pad=False)


def blur(planes: Tensor) -> Tensor:
    """Gaussian means of planes (..., H, W), same size: mirrored at the ends of columns, zero beyond those of rows."""
    height, width = planes.shape[-2:]
    down = _window(height, planes.dtype, planes.device, mirrored=True)
    across = _window(width, planes.dtype, planes.device, mirrored=False)
    return down @ planes @ across.T


@lru_cache(maxsize=4)
def _to_lms(dtype: torch.dtype, device: torch.device) -> Tensor:
    return torch.tensor(TO_LMS, dtype=dtype, device=device)


@lru_cache(maxsize=32)
def _window(side: int, dtype: torch.dtype, device: torch.device, *, mirrored: bool) -> Tensor:
    """(side, side): row i holds the window around sample i."""
    reach = TAPS // 2
    matrix = torch.zeros(side, side + 2 * reach, dtype=torch.float64)
    for offset, tap in enumerate(gaussian_taps().tolist()):
        matrix.diagonal(offset).fill_(tap)
    inner = matrix[:, reach:-reach].clone()
    if mirrored:
        inner[:, :reach] += matrix[:, :reach].flip(1)
        inner[:, -reach:] += matrix[:, -reach:].flip(1)
    return inner.to(device=device, dtype=dtype)
