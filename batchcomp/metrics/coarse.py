"""MS-SSIM's three coarse scales of pictures that are reduced once, however often they are compared.

They see nothing but means of 4x4 pixels, a sixteenth of a picture: `Terms.of` works through all of it to get there.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from batchcomp.metrics.ms_ssim import SCALES, Pixels, Terms

FINE: Final = 2  # scales before them
_SIDE: Final = 2**FINE  # pixels of which the mean is taken
_BAND: Final = 128  # rows at a time: they stay in the cache

Quarter = NDArray[np.float32]  # (N, ceil(H / 4), ceil(W / 4)), 0 to 255


def quarter(pixels: Pixels) -> Quarter:
    """Means of 4x4 pixels of uint8 (H, W, N), exactly; zeros before the first row and column fill the sides up."""
    height, width, channels = pixels.shape
    rows, columns = -(-height // _SIDE), -(-width // _SIDE)
    above, before = _SIDE * rows - height, _SIDE * columns - width
    answer = np.empty((channels, rows, columns), np.float32)
    for top in range(0, rows, _BAND // _SIDE):
        last = min(rows, top + _BAND // _SIDE)
        seen = pixels[max(0, _SIDE * top - above) : _SIDE * last - above]
        if before or (above and not top):
            seen = np.pad(seen, [(above if not top else 0, 0), (before, 0), (0, 0)])
        sums = np.add(seen[0::_SIDE], seen[1::_SIDE], dtype=np.uint16)
        for row in range(2, _SIDE):
            sums += seen[row::_SIDE]
        across = sums.reshape(last - top, columns, _SIDE, channels)
        for channel in range(channels):
            target = answer[channel, top:last]
            target[...] = across[:, :, 0, channel]
            for column in range(1, _SIDE):
                target += across[:, :, column, channel]
    answer *= np.float32(1 / _SIDE**2)
    return answer


def coarse_terms(x: Quarter, y: Quarter) -> Terms:
    """What `Terms.of` gives of two pictures at the scales from `FINE` on, from their quarters."""
    return Terms.of_planes(x, y, first=FINE, last=SCALES)
