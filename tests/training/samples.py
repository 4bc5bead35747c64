"""Pictures to train on."""

from __future__ import annotations

import numpy as np
from PIL import Image


def photo(seed: int, side: int = 224) -> np.ndarray:
    """Smooth noise at several scales: has edges, texture and flat parts."""
    rng = np.random.default_rng(seed)
    layers = []
    for size, strength in ((7, 120), (28, 60), (112, 30)):
        small = Image.fromarray(rng.integers(0, 255, (size, size, 3), dtype=np.uint8))
        layers.append(strength * (np.asarray(small.resize((side, side), Image.Resampling.BICUBIC)) / 255.0 - 0.5))
    return np.clip(128 + sum(layers), 0, 255).astype(np.uint8)
