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
NEAR = 1.25  # ratio of bytes over which the curve is as good as straight
REFINEMENTS = 4
QUALITIES_A_DECIBEL = 9  # of MS-SSIM, rather too many: the first step then mostly encloses the target
QUALITIES_AN_OCTAVE = 30  # of bytes, about, at middle qualities
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
        """Highest quality whose file has at most `budget` bytes; `LOWEST` where none has.

        An interpolation on the logarithm of the size, which is close to linear in quality; a step that does not halve
        what is left is followed by one that does.
        """
        low, high = LOWEST, HIGHEST + 1  # the answer is in [low, high)
        guess, wide = 30, False
        while high - low > 1:
            span = high - low
            if self.size(guess) <= budget:
                low = guess
            else:
                high = guess
            wide = not wide and 2 * (high - low) > span
            guess = (low + high) // 2 if not wide else self._near(low, high, guess, budget)
        return low

    def _near(self, low: int, high: int, guess: int, budget: int) -> int:
        """A quality strictly between two whose size may be the budget, a step beyond so that it closes in."""
        octaves = math.log2(max(1, budget) / self.size(guess))
        return min(high - 1, max(low + 1, guess + round(QUALITIES_AN_OCTAVE * octaves) + (octaves > 0)))

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

    def bytes_at(self, target: float, start: int) -> int | None:
        """Bytes at which MS-SSIM reaches `target`; None where even the highest quality falls short.

        The search begins at quality `start`, whose MS-SSIM is mostly known already, and measures two or three more
        files. Between the two that enclose the target, whose sizes are within `NEAR` of each other or as near as
        `REFINEMENTS` steps bring them, the logarithm of the bytes is taken as a straight line over MS-SSIM in dB.
        """
        low, high = self._enclosing(target, start)
        if high is None:
            return None
        halve = False
        for _ in range(REFINEMENTS):
            if high - low == 1 or self.size(high) <= NEAR * self.size(low):
                break
            middle, span = (low + high) // 2 if halve else self._between(low, high, target), high - low
            low, high = (low, middle) if self.ms_ssim(middle) >= target else (middle, high)
            halve = 2 * (high - low) > span  # where the curve bends, a straight line creeps
        a, b, t = (_decibels(s) for s in (self.ms_ssim(low), self.ms_ssim(high), target))
        share = min(1.0, max(0.0, (t - a) / (b - a))) if b > a else 1.0
        between: float = self.size(low) ** (1 - share) * self.size(high) ** share
        return round(between)

    def _enclosing(self, target: float, start: int) -> tuple[int, int | None]:
        """Qualities just below and at or above the target, by steps that grow; equal where the lowest one reaches."""
        rising = self.ms_ssim(start) < target
        at, step = start, max(3, round(abs(_decibels(target) - _decibels(self.ms_ssim(start))) * QUALITIES_A_DECIBEL))
        while True:
            then = min(HIGHEST, at + step) if rising else max(LOWEST, at - step)
            if then == at:
                return (at, None) if rising else (at, at)
            if (self.ms_ssim(then) >= target) == rising:
                return (at, then) if rising else (then, at)
            at, step = then, 2 * step

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
        quality does; `jpeg.bytes_at_ms_ssim`, at which JPEG reaches our MS-SSIM, is interpolated: see
        `JpegCurve.bytes_at`.
    """
    similarity = ms_ssim(original.pixels, restored.pixels)
    if max(original.width, original.height) > MAX_SIDE:
        return Measurement(ms_ssim=similarity, jpeg=None)
    curve = JpegCurve(original.pixels)
    fitting = curve.best_within(image_bytes)
    return Measurement(
        ms_ssim=similarity,
        jpeg=JpegComparison(
            quality=fitting,
            bytes=curve.size(fitting),
            ms_ssim=curve.ms_ssim(fitting),
            bytes_at_ms_ssim=curve.bytes_at(similarity, fitting),
        ),
    )
