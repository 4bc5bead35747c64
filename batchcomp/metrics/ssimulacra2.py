"""SSIMULACRA2 of uint8 pictures of any size, without torch and in bounded memory.

Sneyers: "SSIMULACRA 2", 2022, github.com/cloudinary/ssimulacra2: structural similarity, new edges and lost edges in
the XYB colours of JPEG XL at several scales, each as a mean and as a fourth-power mean. Scores of photos are within
0.1 of those of the package `ssimulacra2`; see `ssimulacra2_weights` for what is left out.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from batchcomp.metrics.blur import Blur
from batchcomp.metrics.ssim_window import HALO
from batchcomp.metrics.ssimulacra2_weights import BIAS, C2, SCALES, TO_LMS, WEIGHTS, score_of

Pixels = NDArray[np.uint8]
Planes = NDArray[np.float32]

MIN_SIDE: Final = 8  # px: smaller pictures are extended by their last row and column
_ROWS: Final = 64  # of a scale that are worked on at once
_REACH: Final = HALO // 2


def ssimulacra2(picture: Pixels, original: Pixels) -> float:
    """Return the SSIMULACRA2 of a picture: 100 is lossless, 90 visually so, 70 high quality, below 30 poor.

    Args:
        picture: uint8 (H, W, 3) or (H, W, 1), sRGB.
        original: its reference, same shape.

    Raises:
        ValueError: the shapes differ or are not (H, W, 3) or (H, W, 1).
    """
    if picture.shape != original.shape or picture.ndim != 3 or picture.shape[2] not in {1, 3}:
        raise ValueError(f"two pictures of one shape expected, got {picture.shape} and {original.shape}")
    light: tuple[_Light, _Light] = _Light.of(picture), _Light.of(original)
    distance = 0.0
    for scale in range(SCALES):
        if scale:
            light = light[0].halved(), light[1].halved()
        if min(light[0].size) < MIN_SIDE:
            break
        distance += _distance(*light, scale)
    return score_of(distance)


class _Light:
    """Linear light of one scale: 8-bit sRGB at the finest, which is converted in strips, else float32 (H, W, 3)."""

    def __init__(self, samples: NDArray[np.uint8] | Planes) -> None:
        self._samples = samples
        self.size = samples.shape[:2]

    @classmethod
    def of(cls, pixels: Pixels) -> _Light:
        """The finest scale of a picture."""
        short = [max(0, MIN_SIDE - side) for side in pixels.shape[:2]]
        whole = np.pad(pixels, [(0, short[0]), (0, short[1]), (0, 0)], mode="edge") if any(short) else pixels
        return cls(np.broadcast_to(whole, (*whole.shape[:2], 3)))

    def rows(self, begin: int, end: int) -> Planes:
        """Rows of linear light (n, W, 3)."""
        strip = self._samples[begin:end]
        light: Planes = _LINEAR[strip] if strip.dtype == np.uint8 else strip.astype(np.float32, copy=False)
        return light

    def halved(self) -> _Light:
        """Mean of 2 x 2 pixels; of those there are at an odd side's end."""
        height, width = self.size
        answer = np.empty(((height + 1) // 2, (width + 1) // 2, 3), np.float32)
        for top in range(0, height, _ROWS):
            strip = self.rows(top, min(height, top + _ROWS))
            strip = np.pad(strip, [(0, len(strip) % 2), (0, width % 2), (0, 0)], mode="edge")
            pairs = strip[0::2] + strip[1::2]
            answer[top // 2 : top // 2 + len(pairs)] = (pairs[:, 0::2] + pairs[:, 1::2]) * np.float32(0.25)
        return _Light(answer)


def _srgb_to_linear() -> Planes:
    """IEC 61966-2-1, for each of 256 values."""
    value = np.arange(256) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4).astype(np.float32)


_LINEAR: Final = _srgb_to_linear()


def _distance(x: _Light, y: _Light, scale: int) -> float:
    """The weighted errors of one scale."""
    weights = {channel: of for (at, channel), of in WEIGHTS.items() if at == scale}
    channels = sorted(weights)
    height, width = x.size
    blur = Blur(4, _ROWS, width)
    sums = np.zeros((len(channels), 3, 2))
    for top in range(0, height, _ROWS):
        bottom = min(height, top + _ROWS)
        both = [_xyb(_mirrored(light, top - _REACH, bottom + _REACH), channels) for light in (x, y)]
        for number, (first, second) in enumerate(zip(*both, strict=True)):
            sums[number] += _errors(first, second, blur)
    means = sums / (height * width)
    total = 0.0
    for number, channel in enumerate(channels):
        for (mean, fourth), (by_mean, by_fourth) in zip(means[number], weights[channel], strict=True):
            total += by_mean * mean + by_fourth * fourth**0.25
    return total


def _mirrored(light: _Light, begin: int, end: int) -> Planes:
    """Rows begin .. end, mirrored beyond the picture's."""
    height = light.size[0]
    rows = light.rows(max(0, begin), min(height, end))
    return np.pad(rows, [(max(0, -begin), max(0, end - height)), (0, 0), (0, 0)], mode="symmetric")


def _xyb(light: Planes, channels: list[int]) -> Planes:
    """Some channels (n, H, W) of linear light (H, W, 3) in XYB, positive as SSIMULACRA2 has it."""
    mixed = np.array(TO_LMS, np.float32) @ light.reshape(-1, 3).T
    mixed += np.float32(BIAS)
    long, medium, short = np.cbrt(np.maximum(mixed, 1e-6, out=mixed), out=mixed) - np.float32(BIAS ** (1 / 3))
    y = (long + medium) / 2
    found = (lambda: 7 * (long - medium) + 0.42, lambda: y + 0.01, lambda: short - y + 0.55)
    return np.stack([found[channel]() for channel in channels]).reshape(len(channels), *light.shape[:2])


def _errors(x: Planes, y: Planes, blur: Blur) -> NDArray[np.float64]:
    """Sums (3, 2) of structure's error, new edges and lost ones, and of their fourth powers, of planes (H + 10, W)."""
    maps = np.pad(np.stack([x, y, x * x + y * y, x * y]), [(0, 0), (0, 0), (_REACH, _REACH)])
    mu_x, mu_y, power, product = blur(maps)
    mu_xy, mu_sq = mu_x * mu_y, mu_x * mu_x + mu_y * mu_y
    similar = (1 - (mu_x - mu_y) ** 2) * (2 * (product - mu_xy) + C2) / (power - mu_sq + C2)
    inner = slice(_REACH, -_REACH)
    edges = (1 + np.abs(x[inner] - mu_x)) / (1 + np.abs(y[inner] - mu_y)) - 1
    errors = (np.maximum(1 - similar, 0), np.maximum(edges, 0), np.maximum(-edges, 0))
    return np.array([[error.sum(dtype=np.float64), (error**2 * error**2).sum(dtype=np.float64)] for error in errors])
