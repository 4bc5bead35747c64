"""Numbers that float32 adds exactly, in any order: whole multiples of powers of two, no sum of which exceeds 2^24.

An exact network (`networks.exact`) rounds what a convolution sees and its weights to so many steps at most (`Limits`);
every product and partial sum is then a whole multiple of one step, and below 2^24 of them. Here are the numbers
themselves, for all engines alike: torch is not needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Limits:
    """The most steps, to either side of 0, that a convolution's inputs and its weights have."""

    inputs: int
    weights: int


WIDE: Final = Limits(inputs=511, weights=2047)  # first and last convolution: pixels, and what nothing repairs any more
BYTES: Final = Limits(inputs=127, weights=127)  # the others: what kernels for 8 bits multiply
FINEST_BYTES: Final = 2**23  # parts of a step that what becomes a byte may have: rounding is the same everywhere then
SUM_LIMIT: Final = 2**24  # whole numbers up to which float32 holds every one
MAX_EXPONENT: Final = 24  # of a step: 2^-24 at least
PIXEL_STEPS: Final = 256  # in 1, of what the first convolution sees: pixels in 256ths
PIXEL_MIDDLE: Final = 128  # what is taken from a pixel, so that there are as many values on either side
GAIN_STEPS: Final = 512  # in 1
EXACT_SCALE: Final = 2  # by which pictures are enlarged exactly
DOUBLING_REACH: Final = 2  # pixels that it sees to either side

Numbers = NDArray[np.float32]


def weight_steps(weight: Numbers, bias: Numbers, input_steps: float, limits: Limits) -> NDArray[np.float64]:
    """Steps in 1 of each output channel's weights, powers of two: as many as their limit and exact sums leave.

    Args:
        weight: (O, ...) of a convolution.
        bias: (O,).
        input_steps: steps in 1 of what it sees, a power of two.
        limits: of both.

    Returns:
        (O,). Of weights that were rounded by it before, it is such that rounding changes nothing.
    """
    flat, bias = weight.reshape(len(weight), -1).astype(np.float64), bias.astype(np.float64)
    sums = np.abs(flat).sum(axis=1) * limits.inputs + np.abs(bias) * input_steps
    with np.errstate(divide="ignore"):
        room = np.minimum(limits.weights / np.abs(flat).max(axis=1), SUM_LIMIT / sums)
    exponent = np.frexp(np.clip(room, 2.0**-MAX_EXPONENT, 2.0**MAX_EXPONENT))[1] - 1  # floor(log2), exactly
    steps = np.ldexp(1.0, exponent)
    rounded = np.abs(np.rint(flat * steps[:, None])).sum(axis=1) * limits.inputs
    too_much = rounded + np.abs(np.rint(bias * steps * input_steps)) > SUM_LIMIT
    answer: NDArray[np.float64] = np.where(too_much, steps / 2, steps)
    return answer


def whole(weight: Numbers, bias: Numbers, input_steps: float, limits: Limits) -> tuple[Numbers, Numbers]:
    """Weights (O, ...) and biases (O,) of a convolution as whole multiples of their steps."""
    steps = weight_steps(weight, bias, input_steps, limits)
    by_channel = steps.reshape(-1, *[1] * (weight.ndim - 1))
    return _rounded(weight, by_channel, limits.weights), _rounded(bias, steps * input_steps, SUM_LIMIT)


def _rounded(values: Numbers, steps: NDArray[np.float64], limit: float) -> Numbers:
    return (np.clip(np.rint(values * steps), -limit, limit) / steps).astype(np.float32)


def to_bytes(values: Numbers, steps: float) -> Numbers:
    """Values times their steps in 1 as whole numbers from -127 to 127, ties away from zero, float32.

    One rounded operation after the other: half is added, then the fraction goes. That is what kernels for 8 bits do, or
    round to the nearest, ties away from zero. Both are the same where values are multiples of 1 / `FINEST_BYTES`.
    """
    scaled = values * np.float32(steps)
    whole = np.trunc(scaled + np.copysign(np.float32(0.5), scaled))
    answer: Numbers = np.clip(whole, -BYTES.inputs, BYTES.inputs).astype(np.float32)
    return answer


def gains_at(cubic: Numbers, constant: Numbers, log_coarseness: float) -> Numbers:
    """Gains (C,) in 512ths at log2(coarseness): 1 + a cubic polynomial (C, 3), (C,) of a third of it.

    One rounded operation after the other, as every machine does them.
    """
    t = np.float64(np.float32(log_coarseness) / np.float32(3))
    powers = cubic.astype(np.float64)
    gains = 1 + (((powers[:, 2] * t + powers[:, 1]) * t + powers[:, 0]) * t + constant.astype(np.float64))
    return (np.rint(gains * GAIN_STEPS) / GAIN_STEPS).astype(np.float32)


def doubling(unshuffle: int = 1) -> Numbers:
    """A convolution that doubles the sides bicubically (a = -0.75), before its pixels are shuffled.

    Its weights are multiples of 2^-16 whose sizes add up to less than 1.65: on whole numbers from -128 to 127 every sum
    is exact. Edges are to be replicated by `DOUBLING_REACH` pixels or more before, and nothing else is padded.

    Args:
        unshuffle: of the picture that it sees, `f`: blocks of f x f pixels are channels.

    Returns:
        (12 f^2, 3 f^2, k, k), k being 5 for single pixels, else 3.
    """
    phases = np.array([(-9, 67, 225, -27, 0), (0, -27, 225, 67, -9)]) / 256  # a quarter before and behind the middle
    size = 5 if unshuffle == 1 else 3
    along = np.zeros((2 * unshuffle, unshuffle, size))  # of an output in a block: what pixel of what block it sees
    for place in range(2 * unshuffle):
        for tap, share in enumerate(phases[place % 2]):
            block, pixel = divmod(place // 2 + tap - DOUBLING_REACH, unshuffle)
            along[place, pixel, block + size // 2] = share
    weight: NDArray[np.float64] = np.einsum("ab,ydi,xej->ayxbdeij", np.eye(3), along, along)
    return weight.reshape(12 * unshuffle**2, 3 * unshuffle**2, size, size).astype(np.float32)
