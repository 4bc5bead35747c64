"""Bicubic resampling in numpy, with torch's values to 1e-6 (`resample`): what the networks' residuals are added to."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

REACH: Final = 2  # samples on either side that an output sees, in steps of the coarser grid
_STRIP: Final = 32  # rows at a time: 16 to 32 were best
Planes = NDArray[np.float32]  # (C, H, W)


def reduced(planes: Planes, scale: int) -> Planes:
    """What `resample.downscale` gives: (C, H, W) -> (C, H / scale, W / scale), sides multiples of `scale`.

    Sums are written out tap by tap: no library may change their order, so that tiles and machines agree.
    """
    channels, height, width = planes.shape
    answer = np.empty((channels, height // scale, width // scale), np.float32)
    down, across = _shares_inside(height, scale), _shares_inside(width, scale)
    for first in range(0, height // scale, _STRIP):  # so many rows stay in the cache
        last = min(first + _STRIP, height // scale)
        rows = _rows(planes, scale, first, last)
        tall = _summed([rows[:, tap:][:, : scale * (last - first) : scale] for tap in range(4 * scale)], scale)
        tall /= down[first:last, None]
        answer[:, first:last] = _summed(_columns(tall, scale), scale)
        answer[:, first:last] /= across
    return answer


def _rows(planes: Planes, scale: int, first: int, last: int) -> Planes:
    """What the outputs from `first` to `last` see, zeros beyond the picture."""
    top = scale * first - _before(scale)
    bottom = scale * (last - 1) - _before(scale) + 4 * scale
    height = planes.shape[1]
    if top >= 0 and bottom <= height:
        return planes[:, top:bottom]
    padding = [(0, 0), (max(0, -top), max(0, bottom - height)), (0, 0)]
    return np.pad(planes[:, max(0, top) : bottom], padding)


def _columns(rows: Planes, scale: int) -> list[Planes]:
    """Each tap's samples for all outputs of a row, from contiguous copies of every `scale`-th column."""
    channels, height, width = rows.shape
    count, lead = width // scale, -(-_before(scale) // scale)
    phases = np.zeros((scale, channels, height, count + 4 + lead), np.float32)
    for phase in range(scale):
        phases[phase, ..., lead : lead + count] = rows[..., phase::scale]
    offsets = (tap - _before(scale) for tap in range(4 * scale))
    return [phases[offset % scale][..., lead + offset // scale :][..., :count] for offset in offsets]


def _summed(taps: list[Planes], scale: int) -> Planes:
    """The weighted sum of what each tap sees; the weights are symmetric."""
    weights = _antialiased(scale)
    answer = taps[0] + taps[-1]
    answer *= weights[0]
    product = np.empty_like(answer)
    for number in range(1, len(taps) // 2):
        np.add(taps[number], taps[-1 - number], out=product)
        product *= weights[number]
        answer += product
    return answer


def _shares_inside(side: int, scale: int) -> NDArray[np.float32]:
    """For each output, the sum of the weights whose samples are inside the picture: what it is divided by."""
    weights = _antialiased(scale).astype(np.float64)
    shares = np.ones(side // scale)
    for at in {*range(min(REACH, len(shares))), *range(max(0, len(shares) - REACH), len(shares))}:
        first = scale * at - _before(scale)
        shares[at] = weights[max(0, -first) : side - first].sum()
    return shares.astype(np.float32)


def _before(scale: int) -> int:
    """Samples of an output's first tap before those that it stands for."""
    return 3 * scale // 2


def enlarged(planes: Planes, scale: int) -> Planes:
    """What `resample.upscale` gives: (C, h, w) -> (C, h * scale, w * scale)."""
    tall = _rows_enlarged(planes, scale)
    return _rows_enlarged(tall.transpose(0, 2, 1), scale).transpose(0, 2, 1)


def _rows_enlarged(planes: Planes, scale: int) -> Planes:
    count = planes.shape[1]
    padded = np.pad(planes, [(0, 0), (REACH, REACH), (0, 0)], mode="edge")
    answer = np.empty((planes.shape[0], count * scale, planes.shape[2]), np.float32)
    for phase in range(scale):
        offset = (phase + 0.5) / scale - 0.5  # from the sample's centre
        distances = np.arange(-REACH, REACH + 1) - offset
        weights = _cubic(distances, -0.75).astype(np.float32)
        answer[:, phase::scale] = sum(weight * padded[:, tap : tap + count] for tap, weight in enumerate(weights))
    return answer


@lru_cache(maxsize=4)
def _antialiased(scale: int) -> NDArray[np.float32]:
    """The weights of the 4 * scale samples around the centre of an output."""
    distances = (np.arange(4 * scale) - 2 * scale + 0.5) / scale
    weights = _cubic(distances, -0.5)
    answer: NDArray[np.float32] = (weights / weights.sum()).astype(np.float32)
    return answer


def _cubic(distance: NDArray[np.floating], a: float) -> NDArray[np.float64]:
    """Keys' kernel (1981, "Cubic convolution interpolation for digital image processing"), 0 from 2 on."""
    x = np.abs(distance)
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    far = ((a * x - 5 * a) * x + 8 * a) * x - 4 * a
    return np.where(x <= 1, near, np.where(x < 2, far, 0.0))
