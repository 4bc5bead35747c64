"""Convolutions whose sums float32 holds exactly, so that every machine, library and order of adding gives the same.

A convolution's inputs are rounded to whole multiples of a power of two (`Grid`), its weights too, a power of two for
each output channel, and its biases to multiples of their product. Every product and every partial sum is then a whole
multiple of one power of two, and `ExactConv2d` chooses the powers such that none exceeds 2^24 of them: what float32
adds exactly, in any order, fused or not. Between convolutions stand single operations (sum, product, maximum, rounding
to the nearest even), which IEEE 754 rounds alike everywhere.

Whole numbers make results independent of the machine: Balle et al. 2019, "Integer Networks for Data Compression with
Latent-Variable Models". Rounding in training: Bengio et al. 2013, arXiv 1308.3432 (straight-through).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  (the name every torch reader expects)

from batchcomp.codec.whole_numbers import BYTES, SUM_LIMIT, Limits, weight_steps

FIRST_EXPONENT = 6  # of a grid before it is fitted


class _Rounding(torch.autograd.Function):
    """Rounds to multiples of 1 / scale up to a limit; the gradient passes where the limit was not reached."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, scale: Tensor, limit: float, away: bool) -> Tensor:
        scaled = x * scale
        half = torch.copysign(scaled.new_full((), 0.5), scaled)
        steps = torch.trunc(scaled + half) if away else torch.round(scaled)  # the former as `whole_numbers.to_bytes`
        ctx.save_for_backward(steps.abs() <= limit)
        return steps.clamp(-limit, limit) / scale

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None]:
        (inside,) = ctx.saved_tensors
        return gradient * inside, None, None, None


def rounded(x: Tensor, scale: Tensor, limit: float, *, away: bool = False) -> Tensor:
    """X to the nearest multiples of 1 / scale, a power of two, of at most `limit` steps.

    Ties go to even, or `away` from zero.
    """
    answer: Tensor = _Rounding.apply(x, scale, limit, away)  # type: ignore[no-untyped-call]
    return answer


class Grid(nn.Module):
    """Rounds to steps of 2^-exponent, at most `limit` to either side; the exponent is kept, not learned.

    Ties go to even; those of bytes away from zero, see `whole_numbers.to_bytes`.
    """

    exponent: Tensor

    def __init__(self, limit: int, exponent: int = FIRST_EXPONENT) -> None:
        super().__init__()
        self.limit = limit
        self.register_buffer("exponent", torch.tensor(float(exponent)))

    @property
    def steps(self) -> float:
        """Steps in 1: a power of two."""
        return float(2.0 ** round(float(self.exponent)))

    def forward(self, x: Tensor) -> Tensor:
        return rounded(x, x.new_full((), self.steps), self.limit, away=self.limit == BYTES.inputs)


class ExactConv2d(nn.Conv2d):
    """A convolution of stride 1 whose float32 sums are exact.

    `weight` and `bias` are those that training moves; `whole` gives what is computed with. Rounding what was rounded
    changes nothing, so that a file may hold either.
    """

    def __init__(self, channels_in: int, channels_out: int, kernel: int, limits: Limits = BYTES) -> None:
        super().__init__(channels_in, channels_out, kernel, padding=kernel // 2)
        self.limits = limits
        self.grid = Grid(limits.inputs)

    def forward(self, x: Tensor) -> Tensor:
        weight, bias = self.whole()
        return F.conv2d(self.grid(x), weight, bias, padding=self.padding)

    def whole(self) -> tuple[Tensor, Tensor]:
        """Weights and biases as whole multiples of powers of two, one for each output channel."""
        assert self.bias is not None  # noqa: S101  (the constructor gives it one)
        scale = self.weight_scale()
        weight = rounded(self.weight, scale.view(-1, 1, 1, 1), self.limits.weights)
        return weight, rounded(self.bias, scale * self.grid.steps, SUM_LIMIT)

    def weight_scale(self) -> Tensor:
        """Steps in 1 of each output channel's weights."""
        assert self.bias is not None  # noqa: S101  (the constructor gives it one)
        weight, bias = (value.detach().cpu().numpy() for value in (self.weight, self.bias))
        return torch.from_numpy(weight_steps(weight, bias, self.grid.steps, self.limits)).to(self.weight)

    def largest_sum(self) -> float:
        """The most that a partial sum can be, in the steps that all products are multiples of: 2^24 or less."""
        weight, bias = (value.detach().double() for value in self.whole())
        steps = self.weight_scale().double() * self.grid.steps
        sums = weight.abs().flatten(1).sum(dim=1) * self.limits.inputs / self.grid.steps + bias.abs()
        return float((sums * steps).max())
