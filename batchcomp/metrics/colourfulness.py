"""How colourful a picture looks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def colourfulness(rgb: NDArray[np.uint8]) -> float:
    """Return the colourfulness of uint8 (H, W, 3): 0 for grey, 15 slightly, 45 averagely, 82 highly, 109 extremely.

    Hasler and Suesstrunk 2003, "Measuring colourfulness in natural images", section 7: M = sigma + 0.3 mu, with the
    standard deviation and the mean of the opponent colours rg = R - G and yb = (R + G) / 2 - B, each as the root of
    its squares' sum.
    """
    red, green, blue = (rgb[..., channel].astype(np.float64) for channel in range(3))
    opponents = red - green, (red + green) / 2 - blue
    spread = np.hypot(*(plane.std() for plane in opponents))
    offset = np.hypot(*(plane.mean() for plane in opponents))
    return float(spread + 0.3 * offset)
