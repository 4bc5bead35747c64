"""Differentiable MS-SSIM for training: Gaussian windows as matrix products, the gradient written out by hand.

Wang, Simoncelli, Bovik: "Multiscale structural similarity for image quality assessment", 2003, with the constants and
the border rules of `pytorch_msssim.ms_ssim` (valid 11-tap windows, average pooling that counts its zero padding).
"""

from __future__ import annotations

import functools
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from batchcomp.metrics.ssim_window import C1, C2, MIN_SIDE, SCALE_WEIGHTS
from batchcomp.metrics.windows import blur, blur_back


def ms_ssim_batch(x: Tensor, y: Tensor) -> Tensor:
    """Return the MS-SSIM of each pair of pictures.

    Args:
        x: Pictures, float (B, C, H, W) in [0, 1], sides of at least 161 px, any memory format.
        y: Their references, same shape.

    Returns:
        Float (B,) in [0, 1]: the mean over channels, equal to `pytorch_msssim.ms_ssim(size_average=False)`.
        Differentiable once in both arguments; no work is done for an argument that needs no gradient.

    Raises:
        ValueError: The shapes differ or a side is below 161 px.
    """
    _check(x, y)
    batch, channels, height, width = x.shape
    planes_x, planes_y = (side.permute(2, 0, 1, 3).reshape(height, batch * channels, width) for side in (x, y))
    terms = []
    for scale in range(len(SCALE_WEIGHTS)):
        if scale:
            planes_x, planes_y = halve(planes_x), halve(planes_y)
        coarsest = scale == len(SCALE_WEIGHTS) - 1
        terms.append(_MeanTerm.apply(planes_x, planes_y, coarsest))  # type: ignore[no-untyped-call]
    return combine(torch.stack(terms)).view(batch, channels).mean(1)


def combine(terms: Tensor) -> Tensor:
    """Return the product over scales of terms ** weight; terms is (5, ...), negative terms count as 0."""
    factors = [torch.relu(term) ** weight for term, weight in zip(terms.unbind(0), SCALE_WEIGHTS, strict=True)]
    return functools.reduce(torch.mul, factors)  # the gradient of torch.prod makes a GPU wait for the host


def halve(planes: Tensor) -> Tensor:
    """Average 2x2 pixels of (H, N, W); an odd side gets a zero at both ends first, as in pytorch_msssim."""
    padding = [planes.shape[0] % 2, planes.shape[2] % 2]
    return functional.avg_pool2d(planes.transpose(0, 1), 2, padding=padding).transpose(0, 1).contiguous()


def _check(x: Tensor, y: Tensor) -> None:
    if x.shape != y.shape or x.dim() != 4:
        raise ValueError(f"two batches of one shape (B, C, H, W) expected, got {tuple(x.shape)} and {tuple(y.shape)}")
    if min(x.shape[-2:]) < MIN_SIDE:
        raise ValueError(f"pictures of {x.shape[-1]}x{x.shape[-2]} px: MS-SSIM needs sides of {MIN_SIDE} px or more")


class _MeanTerm(torch.autograd.Function):
    """Map planes (H, N, W) to the mean (N,) of the contrast map cs, or of the SSIM map cs * luminance.

    cs = (2 E[xy] - 2 mu_x mu_y + C2) / spread, with spread = E[x^2 + y^2] - mu_x^2 - mu_y^2 + C2;
    luminance = (2 mu_x mu_y + C1) / level, with level = mu_x^2 + mu_y^2 + C1; E is the Gaussian mean.

    Both are computed as 1 minus what is unlike, the same by algebra: cs = 1 - (E[d^2] - E[d]^2) / spread and
    luminance = 1 - E[d]^2 / level, with d = x - y. As written above, cs of bright and nearly flat pictures is a
    quotient of two small differences of numbers near 1: rounding made it 1.0001, so that pictures counted as more than
    alike. d is as small as the pictures are alike, and neither factor exceeds 1.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, y: Tensor, with_luminance: bool) -> Tensor:
        mu_x, mu_y, power, square = blur(torch.stack([x, y, x * x + y * y, (x - y) ** 2], 1)).unbind(1)
        mu_sq, unlike = mu_x * mu_x + mu_y * mu_y, (mu_x - mu_y) ** 2
        spread = power.sub(mu_sq).clamp_(min=0).add_(C2)
        cs = 1 - square.sub(unlike).clamp_(min=0).div_(spread)
        luminance = 1 - unlike / (mu_sq + C1) if with_luminance else None
        ctx.save_for_backward(x, y, mu_x, mu_y, spread, cs, luminance)
        return (cs if luminance is None else cs * luminance).mean((0, 2))

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        x, y, mu_x, mu_y, _, cs, _ = ctx.saved_tensors
        to_term = (grads[0] * len(grads[0]) / cs.numel()).view(1, -1, 1)
        to_product, to_power, to_cross, to_square = _chain(to_term, ctx.saved_tensors[2:])
        sides = [(x, y, mu_x, mu_y), (y, x, mu_y, mu_x)]
        wanted = ctx.needs_input_grad[:2]
        to_means = [
            (mu_other * to_cross).addcmul_(mu, to_square, value=2)
            for (_, _, mu, mu_other), needed in zip(sides, wanted, strict=True)
            if needed
        ]
        to_product, to_power, *to_means = blur_back(torch.stack([to_product, to_power, *to_means], 1)).unbind(1)
        means = iter(to_means)
        to_x, to_y = (
            torch.addcmul(next(means), side, to_power, value=2).addcmul_(other, to_product) if needed else None
            for (side, other, _, _), needed in zip(sides, wanted, strict=True)
        )
        return to_x, to_y, None


def _chain(to_term: Tensor, saved: tuple[Any, ...]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return the derivatives by E[xy], E[x^2 + y^2], mu_x mu_y and mu_x^2 + mu_y^2, each (H - 10, N, W - 10)."""
    mu_x, mu_y, spread, cs, luminance = saved
    if luminance is None:
        to_product = 2 * to_term / spread
        to_power = (to_product * cs).mul_(-0.5)
        return to_product, to_power, -to_product, -to_power
    to_product = 2 * to_term * luminance / spread
    to_power = (to_product * cs).mul_(-0.5)
    by_level = to_term * cs / (mu_x * mu_x + mu_y * mu_y + C1)
    return to_product, to_power, 2 * by_level - to_product, -to_power - by_level * luminance
