"""Plain JPEG as people use it: the rival that measurements compare with, and the fallback where it is better.

Pillow's quality 1..100, 4:2:0, progressive, optimised Huffman codes: a strong rival. `jpeg.squeeze` makes its files
smaller still.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import count

import simplejpeg

from batchcomp.codec import jpeg
from batchcomp.images.picture import Metadata, Picture, Pixels
from batchcomp.metrics.ms_ssim import ms_ssim

LOWEST, HIGHEST = 1, 100  # Pillow's qualities
NEAR = 1.25  # ratio of bytes over which the curve is as good as straight
REFINEMENTS = 4
QUALITIES_A_DECIBEL = 9  # of MS-SSIM, rather too many: the first step then mostly encloses the target
DECIBELS_AN_OCTAVE = 2.5  # of MS-SSIM, for each octave of the tables' scale: 1.6 to 3.1 of photos, at all qualities
CLOSE_DB = 0.25  # from the target: near enough for a straight line
GUESSES = 3
USUAL_QUALITY, USUAL_BPP = 30, 0.6  # a photo's
OCTAVES_A_SCALE = 0.7  # of a photo's bytes, for each octave of the tables' scale
INTERPOLATIONS = 5
MOST_LOG = 40  # natural logarithm of bytes beyond all files, which a line may lead to
ASTRAY = 4  # times the bytes of both files that a line goes through: what it says there is no estimate


@dataclass(frozen=True, kw_only=True)
class PlainFile:
    """A plain JPEG of a picture, and the quality (Pillow's, 1..100) it was made with."""

    data: bytes
    quality: int


def encode(pixels: Pixels, quality: int, metadata: Metadata | None = None) -> bytes:
    """Encode (H, W, 3 or 1) at Pillow's quality 1..100."""
    return jpeg.save(pixels, metadata or Metadata(), quality=quality, subsampling="4:2:0")


def encode_baseline(pixels: Pixels, quality: int) -> bytes:
    """The same as a baseline JPEG: some percent larger than that of `encode`, and read and written twice as fast.

    The coefficients are the same, so the pixels are.
    """
    return jpeg.save_baseline(pixels, quality=quality, subsampling="4:2:0")


def decoded(data: bytes) -> Pixels:
    """The pixels (H, W, 3 or 1) of a file that was just made, as `jpeg.decode` gives them, in a third of its time."""
    kind = "GRAY" if simplejpeg.decode_jpeg_header(data)[2].upper() == "GRAY" else "RGB"
    pixels: Pixels = simplejpeg.decode_jpeg(data, kind, fastdct=False, fastupsample=False)
    return pixels


def squeezed(picture: Picture, quality: int) -> bytes:
    """A picture with its metadata, as small as the same coefficients get."""
    return jpeg.squeeze(encode(picture.pixels, quality, picture.metadata))


def best_of_bytes(picture: Picture, most: int, start: int) -> PlainFile | None:
    """The best squeezed JPEG of at most `most` bytes, metadata included.

    Args:
        picture: sides at most `MAX_SIDE` of `images.jpeg_segments`.
        most: bytes.
        start: a quality that is likely to fit; the search goes up from there, or down where it does not.
    """
    files: dict[int, bytes] = {}

    def fits(quality: int) -> bool:
        if quality not in files:
            files[quality] = squeezed(picture, quality)
        return len(files[quality]) <= most

    best = highest(fits, start)
    return PlainFile(data=files[best], quality=best) if best else None


def smallest_reaching(picture: Picture, similarity: float) -> PlainFile | None:
    """The smallest squeezed JPEG whose MS-SSIM is at least `similarity`; None where there is none."""
    quality = JpegCurve(picture.pixels).reaching(similarity, LOWEST)
    return None if quality is None else PlainFile(data=squeezed(picture, quality), quality=quality)


def highest(fits: Callable[[int], bool], start: int) -> int | None:
    """The highest of 1..100 that fits, where all up to some quality do; searched in growing steps from `start`."""
    low, high = (start, 101) if fits(start) else (0, start)
    step = 1
    while low and high == 101 and low + step <= 100:
        if not fits(low + step):
            high = low + step
            break
        low, step = low + step, 2 * step
    while low == 0 and high > 1:
        guess = max(1, high - step)
        if fits(guess):
            low = guess
            break
        high, step = guess, 2 * step
    while low and high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low or None


class JpegCurve:
    """Plain JPEG files of one picture by quality, without metadata, each made and measured at most once."""

    close_db = CLOSE_DB

    def __init__(self, pixels: Pixels) -> None:
        self._pixels = pixels
        self._file = lru_cache(maxsize=4)(lambda quality: encode(pixels, quality))
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
            self._similarities[quality] = ms_ssim(self._pixels, decoded(self._file(quality)))
        return self._similarities[quality]

    def best_within(self, budget: int) -> int:
        """Highest quality whose file has at most `budget` bytes; `LOWEST` where none has.

        The logarithm of the size is close to a straight line over that of libjpeg's scale: at first a usual photo's
        line, then that through the two files that enclose the budget. It mostly takes 3 or 4 files; where the line
        bends too much, the rest is halved.
        """
        low, high = LOWEST, HIGHEST + 1  # the answer is in [low, high)
        wanted = math.log2(max(1, budget))
        usual = wanted - math.log2(USUAL_BPP * self._pixels.shape[0] * self._pixels.shape[1] / 8)
        guess = quality_of(scale_of(USUAL_QUALITY) - usual / OCTAVES_A_SCALE)
        for files in count(1):
            guess = min(high - 1, max(low + 1, guess))
            if self.size(guess) <= budget:
                low = guess
            else:
                high = guess
            if high - low <= 1:
                break
            guess = self._near(low, high, guess, wanted) if files < INTERPOLATIONS else (low + high) // 2
        return low

    def _near(self, low: int, high: int, last: int, wanted: float) -> int:
        """A quality whose size may be 2 ** `wanted`, between two or a step from the last one tried."""
        if low not in self._sizes or high not in self._sizes:
            octaves = wanted - math.log2(self.size(last))
            guess = quality_of(scale_of(last) - octaves / OCTAVES_A_SCALE)
            return guess if guess != last else last + (1 if octaves >= 0 else -1)
        below, above = math.log2(self.size(low)), math.log2(self.size(high))
        share = (wanted - below) / (above - below) if above > below else 0.5
        return quality_of(scale_of(low) + (scale_of(high) - scale_of(low)) * share)

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

    def bytes_near(self, target: float, start: int) -> int | None:
        """Bytes at which MS-SSIM reaches `target`, as `bytes_at`, by one or two more files than that at `start`.

        Over the scale of libjpeg's tables MS-SSIM in dB and the logarithm of the bytes are both close to straight
        lines: a usual photo's says where the target is, and the line through the two files next to it how many bytes
        it takes. Where that line leads far beyond both, as noise of a few pixels has it, the search is that of
        `bytes_at`.
        """
        wanted, measured, slope = _decibels(target), [start], -DECIBELS_AN_OCTAVE
        for _ in range(GUESSES):
            near = min(measured, key=lambda quality: abs(_decibels(self.ms_ssim(quality)) - wanted))
            off = wanted - _decibels(self.ms_ssim(near))
            if abs(off) < self.close_db and len(measured) > 1:
                break
            guess = self._guess(near, wanted, slope)
            if guess in measured:
                guess += 1 if off > 0 else -1
            if not LOWEST <= guess <= HIGHEST or guess in measured:
                break
            measured.append(guess)
            slope = self._slope(near, guess)
        found, sizes = self._on_line(measured, wanted), [self.size(quality) for quality in measured]
        astray = found is not None and not min(sizes) / ASTRAY <= found <= ASTRAY * max(sizes)
        return self.bytes_at(target, start) if astray else found

    def _guess(self, near: int, wanted: float, slope: float) -> int:
        """A quality that may have so many dB, by a file that was measured and the decibels an octave of the scale."""
        return quality_of(scale_of(near) + (wanted - _decibels(self.ms_ssim(near))) / slope)

    def _slope(self, one: int, other: int) -> float:
        """Decibels an octave between two files, of a photo at least."""
        run = scale_of(other) - scale_of(one)
        found = (_decibels(self.ms_ssim(other)) - _decibels(self.ms_ssim(one))) / run
        return min(found, -DECIBELS_AN_OCTAVE / 3)

    def _on_line(self, measured: list[int], wanted: float) -> int | None:
        """Bytes on the straight line through the two files next to so many dB; None beyond the highest quality."""
        points = sorted((_decibels(self.ms_ssim(quality)), math.log(self.size(quality))) for quality in set(measured))
        points = sorted(sorted(points, key=lambda point: abs(point[0] - wanted))[:2])
        if len(points) < 2 or points[0][0] == points[1][0]:
            return round(math.exp(points[0][1]))
        if HIGHEST in measured and wanted > _decibels(self.ms_ssim(HIGHEST)):
            return None
        if LOWEST in measured and wanted < _decibels(self.ms_ssim(LOWEST)):
            return self.size(LOWEST)
        (a, low), (b, high) = points
        at = low + (high - low) * (wanted - a) / (b - a)
        return round(math.exp(min(MOST_LOG, max(0, at))))

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


def scale_of(quality: int) -> float:
    """log2 of the scale of libjpeg's tables at a quality (jcparam.c), 0 at 50; a little more, as at 100 it is 0."""
    return math.log2(50 / quality if quality < 50 else 2.02 - quality / 50)


def quality_of(scale: float) -> int:
    """The inverse of `scale_of`, rounded and within reach."""
    quality = 50 / 2**scale if scale > 0 else 50 * (2.02 - 2**scale)
    return round(min(HIGHEST, max(LOWEST, quality)))


def _decibels(similarity: float) -> float:
    return -10 * math.log10(max(1e-9, 1 - similarity))
