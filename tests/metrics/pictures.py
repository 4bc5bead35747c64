"""Synthetic pictures and their damaged copies."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]


def smooth_pair(height: int, width: int, channels: int = 3, *, seed: int = 0) -> tuple[Pixels, Pixels]:
    """Return waves and the same with noise, uint8 (H, W, C)."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:height, :width]
    waves = [np.sin(rows / rng.uniform(4, 30) + columns / rng.uniform(4, 30)) for _ in range(channels)]
    picture = 127 + 90 * np.stack(waves, axis=2)
    noisy = picture + rng.normal(0, 12, picture.shape)
    return picture.astype(np.uint8), np.clip(noisy, 0, 255).astype(np.uint8)


def random_pair(height: int, width: int, channels: int = 3, *, seed: int = 0) -> tuple[Pixels, Pixels]:
    """Return two unrelated noises, uint8 (H, W, C)."""
    rng = np.random.default_rng(seed)
    first, second = rng.integers(0, 256, (2, height, width, channels), dtype=np.uint8)
    return first, second


def nearly_flat(level: int, channels: int = 1, *, share: float = 1e-4, seed: int = 0) -> Pixels:
    """Return a blank scan, uint8 (300, 400, C): one level, and here and there the one below."""
    rng = np.random.default_rng(seed)
    return (level - (rng.random((300, 400, channels)) < share)).astype(np.uint8)
