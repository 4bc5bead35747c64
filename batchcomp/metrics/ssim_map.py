"""Where two pictures differ: SSIM around every pixel, averaged over blocks.

Wang, Bovik, Sheikh, Simoncelli: "Image quality assessment: from error visibility to structural similarity", 2004, with
the window and the constants of `metrics.ms_ssim`, at the picture's own scale.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from batchcomp.metrics.ssim_window import C1, C2, HALO, taps

_SLAB = 256  # rows at a time, so that a large picture needs little memory


def ssim_map(x: NDArray[np.uint8], y: NDArray[np.uint8], block: int = 8) -> NDArray[np.float32]:
    """Return the SSIM of a picture and its reference by place.

    Args:
        x: uint8 (H, W, 3) or (H, W, 1), H and W >= 1.
        y: Its reference, same shape.
        block: Side of the blocks in pixels, those at the right and lower edge may be cut.

    Returns:
        float32 (ceil(H / block), ceil(W / block)) in [-1, 1]: the mean over the block's pixels and the channels. The
        pictures go on beyond their edges as their last rows and columns, so that every pixel has a window.

    Raises:
        ValueError: The shapes differ or are not (H, W, 3) or (H, W, 1).
    """
    if x.shape != y.shape or x.ndim != 3 or x.shape[2] not in {1, 3}:
        raise ValueError(f"two pictures of one shape (H, W, 3) or (H, W, 1) expected, got {x.shape} and {y.shape}")
    edge = HALO // 2
    around = [(edge, edge), (edge, edge), (0, 0)]
    a, b = (np.pad(side, around, mode="edge") for side in (x, y))
    step = max(block, _SLAB // block * block)
    parts = [
        _blocks(_of_slab(a[top : top + step + HALO], b[top : top + step + HALO]), block)
        for top in range(0, len(x), step)
    ]
    return np.concatenate(parts)


def _of_slab(x: NDArray[np.uint8], y: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return SSIM (h - 10, w - 10), mean over channels, of two slabs (h, w, channels)."""
    a, b = (side.astype(np.float32) / np.float32(255) for side in (x, y))
    mu_a, mu_b, power, square = (_blurred(plane) for plane in (a, b, a * a + b * b, (a - b) ** 2))
    unlike = (mu_a - mu_b) ** 2
    spread = np.maximum(power - mu_a**2 - mu_b**2, 0) + C2
    contrast = 1 - np.maximum(square - unlike, 0) / spread
    luminance = 1 - unlike / (mu_a**2 + mu_b**2 + C1)
    found: NDArray[np.float32] = (contrast * luminance).mean(2, dtype=np.float32)
    return found


def _blurred(planes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the valid Gaussian means (h - 10, w - 10, channels)."""
    weights = taps().astype(np.float32)
    for axis in (0, 1):
        outputs = planes.shape[axis] - HALO
        cuts = (planes[n : n + outputs] if axis == 0 else planes[:, n : n + outputs] for n in range(HALO + 1))
        means = np.zeros_like(planes[:outputs] if axis == 0 else planes[:, :outputs])
        for weight, part in zip(weights, cuts, strict=True):
            means += weight * part
        planes = means
    return planes


def _blocks(values: NDArray[np.float32], block: int) -> NDArray[np.float32]:
    """Average over blocks; a cut block over what there is of it."""
    height, width = values.shape
    rows, columns = np.arange(0, height, block), np.arange(0, width, block)
    sums = np.add.reduceat(np.add.reduceat(values.astype(np.float64), rows, 0), columns, 1)
    counts = np.outer(np.diff([*rows, height]), np.diff([*columns, width]))
    means: NDArray[np.float32] = (sums / counts).astype(np.float32)
    return means
