"""How a stored picture compares with the original and with plain JPEG."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

from batchcomp.archive.rows import JpegComparison
from batchcomp.codec import jpeg
from batchcomp.images.picture import Picture, Pixels
from batchcomp.metrics.ms_ssim import ms_ssim

LOWEST, HIGHEST = 1, 100  # Pillow's qualities
MAX_SIDE = 65_500  # libjpeg's limit: a larger picture has no plain JPEG to compare with


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """MS-SSIM of the restored picture, and what plain JPEG does at the same bytes and at the same MS-SSIM."""

    ms_ssim: float
    jpeg: JpegComparison | None


class JpegCurve:
    """Plain JPEG files of one picture by quality, each made and measured at most once.

    The rival is a strong one: optimised Huffman codes, progressive, 4:2:0, without metadata.
    """

    def __init__(self, pixels: Pixels) -> None:
        self._pixels = pixels
        self._file = lru_cache(maxsize=4)(lambda quality: jpeg.encode_plain(pixels, quality))
        self._sizes: dict[int, int] = {}
        self._similarities: dict[int, float] = {}

    def size(self, quality: int) -> int:
        """Bytes of the file at a Pillow quality."""
        if quality not in self._sizes:
            self._sizes[quality] = len(self._file(quality))
        return self._sizes[quality]

    def ms_ssim(self, quality: int) -> float:
        """MS-SSIM of the file at a Pillow quality."""
        if quality not in self._similarities:
            self._similarities[quality] = ms_ssim(self._pixels, jpeg.decode(self._file(quality))[0])
        return self._similarities[quality]

    def best_within(self, budget: int) -> int:
        """Highest quality whose file has at most `budget` bytes; `LOWEST` where none has."""
        low, high = LOWEST, HIGHEST + 1  # the answer is in [low, high)
        guess = 30
        while high - low > 1:
            if self.size(guess) <= budget:
                low = guess
            else:
                high = guess
            guess = (low + high) // 2
        return low

    def reaching(self, target: float, start: int) -> int | None:
        """Lowest quality above `start` whose MS-SSIM is at least `target`; None where even the highest falls short.

        MS-SSIM in dB is close to linear in quality over short ranges, so the search interpolates and then closes in.
        """
        low, high = start, HIGHEST
        if self.ms_ssim(low) >= target:
            return low
        guess = min(HIGHEST, low + 15)
        while self.ms_ssim(guess) < target:
            if guess == HIGHEST:
                return None
            low, guess = guess, min(HIGHEST, guess + 25)
        high = guess
        while high - low > 1:
            guess = self._between(low, high, target)
            if self.ms_ssim(guess) >= target:
                high = guess
            else:
                low = guess
        return high

    def _between(self, low: int, high: int, target: float) -> int:
        """A quality strictly between two, where a straight line in dB meets the target."""
        a, b, t = (_decibels(s) for s in (self.ms_ssim(low), self.ms_ssim(high), target))
        share = (t - a) / (b - a) if b > a else 0.5
        return min(high - 1, max(low + 1, round(low + share * (high - low))))


def _decibels(similarity: float) -> float:
    return -10 * math.log10(max(1e-9, 1 - similarity))


def measure(original: Picture, restored: Picture, image_bytes: int) -> Measurement:
    """Compare a restored picture with its original, and with the best plain JPEG of at most `image_bytes`.

    Args:
        original: the source.
        restored: what decoding gives back, same shape.
        image_bytes: the payload's bytes without EXIF, ICC and XMP, which the rival does not carry either.

    Returns:
        `jpeg` is None where a side exceeds `MAX_SIDE`. `jpeg.bytes` exceeds `image_bytes` only where JPEG's lowest
        quality does; `jpeg.bytes_at_ms_ssim` belongs to the lowest JPEG quality that reaches our MS-SSIM.
    """
    similarity = ms_ssim(original.pixels, restored.pixels)
    if max(original.width, original.height) > MAX_SIDE:
        return Measurement(ms_ssim=similarity, jpeg=None)
    curve = JpegCurve(original.pixels)
    fitting = curve.best_within(image_bytes)
    equal = _equal_quality(curve, similarity, fitting)
    return Measurement(
        ms_ssim=similarity,
        jpeg=JpegComparison(
            quality=fitting,
            bytes=curve.size(fitting),
            ms_ssim=curve.ms_ssim(fitting),
            bytes_at_ms_ssim=None if equal is None else curve.size(equal),
        ),
    )


def _equal_quality(curve: JpegCurve, similarity: float, fitting: int) -> int | None:
    """Search upwards from the file of equal bytes, or from the bottom where JPEG beats us there."""
    beaten = curve.ms_ssim(fitting) >= similarity
    return curve.reaching(similarity, LOWEST if beaten else fitting)
