"""Peak signal-to-noise ratio of 8-bit pictures."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

_ROWS = 256  # per step: bounds the memory for the differences


def psnr(x: NDArray[np.uint8], y: NDArray[np.uint8]) -> float:
    """Return 10 log10(255^2 / MSE) in dB over all pixels and channels, infinite for identical pictures.

    Args:
        x: uint8 (H, W, C), any H, W, C >= 1.
        y: Its reference, same shape.

    Raises:
        ValueError: The shapes differ.
    """
    if x.shape != y.shape:
        raise ValueError(f"two pictures of one shape expected, got {x.shape} and {y.shape}")
    strips = (np.subtract(x[at : at + _ROWS], y[at : at + _ROWS], dtype=np.int32) for at in range(0, len(x), _ROWS))
    squares = sum(int(np.square(strip).sum(dtype=np.int64)) for strip in strips)
    return 10 * math.log10(255**2 * x.size / squares) if squares else math.inf
