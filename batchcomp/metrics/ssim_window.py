"""What all of SSIM's implementations share: the Gaussian window, the constants, the weights of MS-SSIM's scales."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

TAPS = 11
SIGMA = 1.5
HALO = TAPS - 1  # samples that a valid window takes from a side
C1 = 0.01**2  # stabilises the luminance term of SSIM, for values in [0, 1]
C2 = 0.03**2  # stabilises the contrast term
SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # Wang 2003, finest scale first
MIN_SIDE = HALO * 2 ** (len(SCALE_WEIGHTS) - 1) + 1  # 161 px: the coarsest scale still holds one window


def taps() -> NDArray[np.float64]:
    """Return the window (11,), sigma 1.5 px, sum 1."""
    offsets = np.arange(TAPS) - TAPS // 2
    weights: NDArray[np.float64] = np.exp(-(offsets**2) / (2 * SIGMA**2))
    weights /= weights.sum()
    return weights
