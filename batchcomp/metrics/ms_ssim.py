"""MS-SSIM of uint8 pictures of any size: `pytorch_msssim.ms_ssim` to 1e-5, many times as fast, without torch.

    ms_ssim(x, y)                   # of two pictures
    found = Terms.of(x, y)          # the sums behind it, which those of other squares of a picture can be added to
    found.similarity

Rows run through all five scales at once, a colour after the other, in pieces that stay in the cache; only the sums of
the contrast and SSIM maps are kept, in float64. No scale of a picture is ever there as floats, and colours know nothing
of one another, so that the value depends neither on threads nor on their order.

With s = x + y and d = x - y, SSIM's contrast term is 1 - 2 var(d) / (var(s) + var(d) + 2 C2): the Gaussian means of s,
d, s² and d² are all it takes, a third less arithmetic than in x and y, and no digits are lost where x and y are alike.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Final

import numpy as np
from numpy.typing import NDArray

from batchcomp.metrics.blur import Blur
from batchcomp.metrics.ssim_window import C1, C2, HALO, MIN_SIDE, SCALE_WEIGHTS

Pixels = NDArray[np.uint8]
Plane = NDArray[np.float32]

SCALES: Final = len(SCALE_WEIGHTS)
PEAK: Final = 255.0
_ROWS, _COLUMNS = 64, 512  # windows of a tile, whose maps stay in the cache; even
CONTRAST, SSIM = "contrast", "ssim"
_KINDS: Final = (CONTRAST,) * (SCALES - 1) + (SSIM,)  # of the maps, by scale
_STEP: Final = 8  # pixels between those whose mean is taken


@dataclass(frozen=True, eq=False)
class Terms:
    """Sums over windows of the contrast term, at the coarsest scale of SSIM, by scale and channel; they can be added.

    Attributes:
        sums: float64 (5, channels), finest scale first.
        windows: (5, 1), how many windows they are of.
    """

    sums: NDArray[np.float64]
    windows: NDArray[np.float64]

    @classmethod
    def of(cls, x: Pixels, y: Pixels, scales: range = range(SCALES), *, threads: int = 1) -> Terms:
        """Sum over a picture and its reference; for the arguments see `ms_ssim`.

        At scales other than `scales` there is nothing in the sums: their means are 0.
        """
        if x.shape != y.shape or x.ndim != 3 or x.shape[2] not in {1, 3}:
            raise ValueError(f"two pictures of one shape (H, W, 3) or (H, W, 1) expected, got {x.shape} and {y.shape}")
        if scales.stop == SCALES:
            x, y = _least_size(x), _least_size(y)
        channels = range(x.shape[2])
        if threads > 1 and len(channels) > 1:
            with ThreadPoolExecutor(min(threads, len(channels))) as pool:
                sums = list(pool.map(lambda channel: _channel_sums(x, y, channel, scales), channels))
        else:
            sums = [_channel_sums(x, y, channel, scales) for channel in channels]
        windows = [[max(1, h - HALO) * max(1, w - HALO)] for h, w in _sizes(*x.shape[:2])]
        return cls(np.array(sums).T, np.array(windows, np.float64))

    @classmethod
    def of_planes(cls, x: Plane, y: Plane, *, first: int, last: int) -> Terms:
        """Sum over planes (N, h, w), those of scale number `first`, at this one and the scales up to `last`.

        At the scales before there is nothing in the sums, nor in the windows.
        """
        sizes = list(islice(_sizes(*x.shape[1:]), last - first))
        sums = [[0.0] * first + _plane_sums(*planes, sizes, first) for planes in zip(x, y, strict=True)]
        windows = [[1]] * first + [[max(1, h - HALO) * max(1, w - HALO)] for h, w in sizes]
        return cls(np.array(sums).T, np.array(windows, np.float64))

    def __add__(self, other: Terms) -> Terms:
        return Terms(self.sums + other.sums, self.windows + other.windows)

    @property
    def means(self) -> NDArray[np.float64]:
        """(5, channels), at most 1."""
        return np.minimum(self.sums / self.windows, 1)

    @property
    def similarity(self) -> float:
        """MS-SSIM in [0, 1], the mean over channels."""
        return combined(self.means)


def combined(means: NDArray[np.float64]) -> float:
    """MS-SSIM of mean terms (5, channels): the mean over channels of weighted products; terms below 0 count as 0."""
    weights = np.array(SCALE_WEIGHTS)[:, None]
    return float(np.prod(np.maximum(means, 0) ** weights, axis=0).mean())


def ms_ssim(x: Pixels, y: Pixels, *, threads: int = 1) -> float:
    """Return the MS-SSIM of a picture and its reference.

    Args:
        x: uint8 (H, W, 3) or (H, W, 1), H and W >= 1.
        y: Its reference, same shape.
        threads: how many of its colours are worked on at once.

    Returns:
        The value in [0, 1] that `pytorch_msssim.ms_ssim(data_range=255)` gives, mean over channels (Wang, Simoncelli,
        Bovik 2003). A side below 161 px, where that function refuses, is first extended to 161 px by repeating the
        last row or column. Grey equals grey replicated to RGB.

    Raises:
        ValueError: The shapes differ or are not (H, W, 3) or (H, W, 1).
    """
    return Terms.of(x, y, threads=threads).similarity


def ms_ssim_db(value: float) -> float:
    """Return -10 log10(1 - value) in dB, infinite for 1: equal steps of it look about equal."""
    return math.inf if value >= 1 else -10 * math.log10(1 - value)


def _sizes(height: int, width: int) -> Iterator[tuple[int, int]]:
    """Height and width of each scale."""
    for _ in range(SCALES):
        yield height, width
        height, width = (height + 1) // 2, (width + 1) // 2


def _channel_sums(x: Pixels, y: Pixels, channel: int, wanted: range) -> list[float]:
    """Return the sums over all windows of one channel, finest scale first."""
    middle = float(x[::_STEP, ::_STEP, channel].mean() + y[::_STEP, ::_STEP, channel].mean())
    sizes = islice(_sizes(*x.shape[:2]), wanted.stop)
    scales = _chain([(size, _KINDS[n] if n in wanted else "") for n, size in enumerate(sizes)], middle)
    first, second = np.empty((2, _ROWS, x.shape[1]), np.float32)
    for top in range(0, len(x), _ROWS):
        rows = slice(top, top + _ROWS)
        count = len(x[rows])
        first[:count], second[:count] = x[rows, :, channel], y[rows, :, channel]
        scales[0].add(first[:count], second[:count])
    scales[0].finish()
    return [scale.sum for scale in scales] + [0.0] * (SCALES - len(scales))


def _plane_sums(x: Plane, y: Plane, sizes: Sequence[tuple[int, int]], first: int) -> list[float]:
    """Return the sums of planes (h, w) at scale number `first` and those that follow."""
    middle = float(x[::_STEP, ::_STEP].mean() + y[::_STEP, ::_STEP].mean())
    scales = _chain(list(zip(sizes, _KINDS[first:], strict=False)), middle)
    for top in range(0, len(x), _ROWS):
        scales[0].add(x[top : top + _ROWS], y[top : top + _ROWS])
    scales[0].finish()
    return [scale.sum for scale in scales]


def _chain(sizes: Sequence[tuple[tuple[int, int], str]], middle: float) -> list[_Scale]:
    """Scales of these sizes and kinds, finest first, each of which hands its rows on to the next."""
    scales: list[_Scale] = []
    for size, kind in reversed(sizes):
        scales.insert(0, _Scale(size, middle, scales[0] if scales else None, kind))
    return scales


class _Scale:
    """One scale of a channel: takes its rows from top to bottom, sums its map and hands half the rows on.

    `kind` is the map: `CONTRAST`, `SSIM`, or "" for none. Variances do not depend on where zero is, and lose fewer
    digits around it: s lacks `middle`.
    """

    def __init__(self, size: tuple[int, int], middle: float, coarser: _Scale | None, kind: str) -> None:
        (height, width), self.sum = size, 0.0
        self._middle, self._coarser, self._kind = middle, coarser, kind
        self._held = np.empty((2, 2 * (_ROWS + HALO), width), np.float32)  # s, d
        self._count = 0  # of rows held
        # An odd side begins with zeros, which pytorch_msssim's pooling counts and its windows do not see.
        self._odd = height % 2, width % 2
        self._seam = np.full((2, 1, width), [[[-middle]], [[0]]], np.float32)  # the row before, where the height is odd
        self._means, self._mean_squares = Blur(2, _ROWS, _COLUMNS), Blur(2, _ROWS, _COLUMNS)
        self._squares = np.empty(2 * (_ROWS + HALO) * (_COLUMNS + HALO), np.float32)

    def add(self, x: Plane, y: Plane) -> None:
        """Take up to `_ROWS` rows of both pictures, (n, width)."""
        s, d = self.room(len(x))
        np.add(x, y, out=s)
        s -= np.float32(self._middle)
        np.subtract(x, y, out=d)
        self.work()

    def finish(self) -> None:
        """Work on what is left, which is fewer rows than a tile's."""
        self._consume(max(0, self._count - HALO), self._count)
        if self._coarser:
            self._coarser.finish()

    def room(self, count: int) -> NDArray[np.float32]:
        """Where the next rows of s and d go, (2, count, width)."""
        self._count += count
        return self._held[:, self._count - count : self._count]

    def work(self) -> None:
        """Work on the rows held, as soon as they are a tile's."""
        while self._count >= _ROWS + HALO:
            self._consume(_ROWS, _ROWS)

    def _consume(self, windows: int, rows: int) -> None:
        """Sum over the windows that begin in the first rows, hand these on and forget them."""
        held = self._held[:, : windows + HALO]
        if windows and self._kind:
            width = held.shape[2] - HALO
            self.sum += sum(self._tile(held[..., at : at + _COLUMNS + HALO]) for at in range(0, width, _COLUMNS))
        if self._coarser:
            self._halve(self._held[:, :rows])
        self._count -= rows
        self._held[:, : self._count] = self._held[:, rows : rows + self._count]

    def _halve(self, rows: NDArray[np.float32]) -> None:
        """Average 2x2 samples for the next scale."""
        assert self._coarser is not None  # noqa: S101  (the caller has looked)
        if self._odd[0]:
            both = np.concatenate([self._seam, rows], axis=1)
            rows, self._seam = both[:, : both.shape[1] // 2 * 2], both[:, -1:].copy()
        pairs = rows[:, 0::2] + rows[:, 1::2]
        if self._odd[1]:
            pairs = np.concatenate([np.full_like(pairs[..., :1], [[[-2 * self._middle]], [[0]]]), pairs], axis=2)
        target = self._coarser.room(pairs.shape[1])
        np.add(pairs[..., 0::2], pairs[..., 1::2], out=target)
        target *= np.float32(0.25)
        self._coarser.work()

    def _tile(self, held: NDArray[np.float32]) -> float:
        """Sum the contrast term, or SSIM, over the windows of s and d, (2, H, W)."""
        mu_s, mu_d = self._means(held)
        squares = np.multiply(held, held, out=self._squares[: held.size].reshape(held.shape))
        spread, unlike = self._mean_squares(squares)
        light = _luminance(mu_s, mu_d, self._middle) if self._kind == SSIM else None
        spread -= np.multiply(mu_s, mu_s, out=mu_s)
        unlike -= np.multiply(mu_d, mu_d, out=mu_d)
        np.maximum(spread, 0, out=spread)
        np.maximum(unlike, 0, out=unlike)
        spread += unlike
        spread += np.float32(2 * C2 * PEAK**2)
        unlike /= spread
        if light is None:
            return float(unlike.size - 2 * unlike.sum(dtype=np.float64))
        similarity: NDArray[np.float32] = (1 - 2 * unlike) * light
        return float(similarity.sum(dtype=np.float64))


def _luminance(mu_s: Plane, mu_d: Plane, middle: float) -> Plane:
    """SSIM's luminance term: mu_s lacks the mean `middle`."""
    total, squares = mu_s + np.float32(middle), mu_d * mu_d
    answer: Plane = 1 - squares / ((total * total + squares) / 2 + np.float32(C1 * PEAK**2))
    return answer


def _least_size(picture: Pixels) -> Pixels:
    """Repeat the last row and column until both sides have 161 px."""
    short = [max(0, MIN_SIDE - side) for side in picture.shape[:2]]
    return np.pad(picture, [(0, short[0]), (0, short[1]), (0, 0)], mode="edge") if any(short) else picture
