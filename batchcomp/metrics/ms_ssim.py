"""MS-SSIM of uint8 pictures of any size: `pytorch_msssim.ms_ssim` to 1e-5, many times as fast, without torch.

    ms_ssim(x, y)                   # of two pictures
    found = Terms.of(x, y)          # the sums behind it, which those of other squares of a picture can be added to
    found.similarity

Rows run through all five scales at once, a colour after the other, in pieces that stay in the cache; only the sums of
the contrast and SSIM maps are kept, in float64. No scale of a picture is ever there as floats, and colours know nothing
of one another, so that the value depends neither on threads nor on their order. The colours of a small picture go side
by side, for what its pieces cost is mostly the calls.

Of a large picture's finest scale every other row of windows is worked out, and counts for two: the window lets 1.4e-4
of what changes from row to row pass, and that scale has a weight of .0448, so that not even stripes move the value by
1e-5. Tiles take turns in which rows they leave out, so that edges between rows favour none.

With s = x + y and d = x - y, SSIM's contrast term is 1 - 2 var(d) / (var(s) + var(d) + 2 C2): the Gaussian means of s,
d, s² and d² are all it takes, a third less arithmetic than in x and y, and no digits are lost where x and y are alike.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from batchcomp.metrics.blur import Blur
from batchcomp.metrics.ssim_window import C1, C2, HALO, MIN_SIDE, SCALE_WEIGHTS

Pixels = NDArray[np.uint8]
Plane = NDArray[np.float32]

SCALES: Final = len(SCALE_WEIGHTS)
PEAK: Final = 255.0
_ROWS, _COLUMNS = 64, 512  # windows of a tile, whose maps stay in the cache; even
_SMALL: Final = 512 * 512  # pixels up to which the colours of a picture go side by side
_LARGE: Final = 2_000_000  # pixels from which on every other row of windows counts at the finest scale
_UNLIKE: Final = 0.25  # its mean term below which all rows count: the less of it, the more an error weighs
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
    def of(
        cls, x: Pixels, y: Pixels, scales: range = range(SCALES), *, threads: int = 1, sparse: bool | None = None
    ) -> Terms:
        """Sum over a picture and its reference; for the arguments see `ms_ssim`.

        At scales other than `scales` there is nothing in the sums: their means are 0. `sparse`: of the finest scale
        every other row of windows counts, and for two; None: where the picture is large and not quite unlike.
        """
        if x.shape != y.shape or x.ndim != 3 or x.shape[2] not in {1, 3}:
            raise ValueError(f"two pictures of one shape (H, W, 3) or (H, W, 1) expected, got {x.shape} and {y.shape}")
        if scales.stop == SCALES:
            x, y = _least_size(x), _least_size(y)
        area = x.shape[0] * x.shape[1]
        if sparse is None and area >= _LARGE:
            found = cls.of(x, y, scales, threads=threads, sparse=True)
            if found.means[0].min() >= _UNLIKE or 0 not in scales:
                return found
        step = 2 if sparse else 1
        count = x.shape[2] if area <= _SMALL else 1
        groups = [slice(first, first + count) for first in range(0, x.shape[2], count)]
        if threads > 1 and len(groups) > 1:
            with ThreadPoolExecutor(min(threads, len(groups))) as pool:
                sums = list(pool.map(lambda channels: _channel_sums(x, y, channels, scales, step), groups))
        else:
            sums = [_channel_sums(x, y, channels, scales, step) for channels in groups]
        windows = [[max(1, h - HALO) * max(1, w - HALO)] for h, w in _sizes(*x.shape[:2])]
        return cls(np.concatenate(sums, axis=1), np.array(windows, np.float64))

    @classmethod
    def of_planes(cls, x: Plane, y: Plane, *, first: int, last: int) -> Terms:
        """Sum over planes (N, h, w), those of scale number `first`, at this one and the scales up to `last`.

        At the scales before there is nothing in the sums, nor in the windows.
        """
        sizes = list(islice(_sizes(*x.shape[1:]), last - first))
        sums = [_plane_sums(*planes, sizes, first) for planes in zip(x[:, None], y[:, None], strict=True)]
        windows = [[1]] * first + [[max(1, h - HALO) * max(1, w - HALO)] for h, w in sizes]
        return cls(np.pad(np.concatenate(sums, axis=1), [(first, 0), (0, 0)]), np.array(windows, np.float64))

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


def _channel_sums(x: Pixels, y: Pixels, channels: slice, wanted: range, step: int) -> NDArray[np.float64]:
    """Return the sums (5, channels) of some channels, finest scale first, of which every `step`-th row counts."""
    x, y = (one[:, :, channels].transpose(2, 0, 1) for one in (x, y))
    sizes = islice(_sizes(*x.shape[1:]), wanted.stop)
    scales = _chain([(size, _KINDS[n] if n in wanted else "") for n, size in enumerate(sizes)], _middles(x, y), step)
    first, second = np.empty((2, len(x), _ROWS, x.shape[2]), np.float32)
    for top in range(0, x.shape[1], _ROWS):
        rows = slice(top, top + _ROWS)
        count = x[:, rows].shape[1]
        first[:, :count], second[:, :count] = x[:, rows], y[:, rows]
        scales[0].add(first[:, :count], second[:, :count])
    scales[0].finish()
    return np.array([scale.sums for scale in scales] + [np.zeros(len(x))] * (SCALES - len(scales)))


def _plane_sums(x: Plane, y: Plane, sizes: Sequence[tuple[int, int]], first: int) -> NDArray[np.float64]:
    """Return the sums (scales, N) of planes (N, h, w) at scale number `first` and those that follow."""
    scales = _chain(list(zip(sizes, _KINDS[first:], strict=False)), _middles(x, y))
    for top in range(0, x.shape[1], _ROWS):
        scales[0].add(x[:, top : top + _ROWS], y[:, top : top + _ROWS])
    scales[0].finish()
    return np.array([scale.sums for scale in scales])


def _middles(x: NDArray[Any], y: NDArray[Any]) -> Plane:
    """About the mean of the sum of planes (N, h, w) and (N, h, w), as (N, 1, 1)."""
    pairs = zip(x[:, ::_STEP, ::_STEP], y[:, ::_STEP, ::_STEP], strict=True)
    return np.array([[[float(a.mean() + b.mean())]] for a, b in pairs], np.float32)


def _chain(sizes: Sequence[tuple[tuple[int, int], str]], middle: Plane, step: int = 1) -> list[_Scale]:
    """Scales of these sizes and kinds, finest first, each of which hands its rows on to the next.

    Of the finest one every `step`-th row of windows counts.
    """
    scales: list[_Scale] = []
    for number, (size, kind) in reversed(list(enumerate(sizes))):
        scales.insert(0, _Scale(size, middle, scales[0] if scales else None, kind, 1 if number else step))
    return scales


class _Scale:
    """One scale of N channels: takes their rows from top to bottom, sums their maps and hands half the rows on.

    `kind` is the map: `CONTRAST`, `SSIM`, or "" for none. Variances do not depend on where zero is, and lose fewer
    digits around it: each s lacks its `middle`, (N, 1, 1).
    """

    def __init__(self, size: tuple[int, int], middle: Plane, coarser: _Scale | None, kind: str, step: int = 1) -> None:
        (height, width), self._channels = size, len(middle)
        self._step, self._tiles = step, 0  # between rows of windows that count; rows of tiles so far
        self.sums = np.zeros(self._channels)
        self._middle, self._coarser, self._kind = middle, coarser, kind
        maps = 2 * self._channels  # s of each channel, then d of each
        self._held = np.empty((maps, 2 * (_ROWS + HALO), width), np.float32)
        self._count = 0  # of rows held
        # An odd side begins with zeros, which pytorch_msssim's pooling counts and its windows do not see.
        self._odd = height % 2, width % 2
        self._zero = np.concatenate([-middle, np.zeros_like(middle)])
        self._seam = np.repeat(self._zero, width, axis=2)  # the row before, where the height is odd
        self._means, self._mean_squares = Blur(maps, _ROWS, _COLUMNS), Blur(maps, _ROWS, _COLUMNS)
        self._squares = np.empty(maps * (_ROWS + HALO) * (_COLUMNS + HALO), np.float32)

    def add(self, x: Plane, y: Plane) -> None:
        """Take up to `_ROWS` rows of both pictures, (N, n, width)."""
        room = self.room(x.shape[1])
        s, d = room[: self._channels], room[self._channels :]
        np.add(x, y, out=s)
        s -= self._middle
        np.subtract(x, y, out=d)
        self.work()

    def finish(self) -> None:
        """Work on what is left, which is fewer rows than a tile's."""
        self._consume(max(0, self._count - HALO), self._count)
        if self._coarser:
            self._coarser.finish()

    def room(self, count: int) -> NDArray[np.float32]:
        """Where the next rows of all s and d go, (2 N, count, width)."""
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
            for number, at in enumerate(range(0, held.shape[2] - HALO, _COLUMNS)):
                start = (self._tiles + number) % self._step if windows > 1 else 0  # no row is favoured
                counted = len(range(start, windows, self._step))
                self.sums += self._tile(held[..., at : at + _COLUMNS + HALO], start) * (windows / counted)
            self._tiles += 1
        if self._coarser:
            self._halve(self._held[:, :rows])
        self._count -= rows
        for one in self._held:  # of all at once numpy would make a copy first: it cannot tell that nothing overlaps
            one[: self._count] = one[rows : rows + self._count]

    def _halve(self, rows: NDArray[np.float32]) -> None:
        """Average 2x2 samples for the next scale."""
        assert self._coarser is not None  # noqa: S101  (the caller has looked)
        if self._odd[0]:
            both = np.concatenate([self._seam, rows], axis=1)
            rows, self._seam = both[:, : both.shape[1] // 2 * 2], both[:, -1:].copy()
        pairs = np.empty((len(rows), rows.shape[1] // 2, rows.shape[2] + self._odd[1]), np.float32)
        np.add(rows[:, 0::2], rows[:, 1::2], out=pairs[..., self._odd[1] :])
        if self._odd[1]:
            pairs[..., :1] = 2 * self._zero
        target = self._coarser.room(pairs.shape[1])
        np.add(pairs[..., 0::2], pairs[..., 1::2], out=target)
        target *= np.float32(0.25)
        self._coarser.work()

    def _tile(self, held: NDArray[np.float32], start: int) -> NDArray[np.float64]:
        """Sum the contrast term, or SSIM, over the windows of s and d, (2 N, H, W)."""
        n = self._channels
        means = self._means(held, self._step, start)
        squares = np.multiply(held, held, out=self._squares[: held.size].reshape(held.shape))
        variances = self._mean_squares(squares, self._step, start)
        light = _luminance(means[:n], means[n:], self._middle) if self._kind == SSIM else None
        variances -= np.multiply(means, means, out=means)
        np.maximum(variances, 0, out=variances)
        spread, unlike = variances[:n], variances[n:]
        spread += unlike
        spread += np.float32(2 * C2 * PEAK**2)
        unlike /= spread
        if light is None:
            return np.array([one.size - 2 * one.sum(dtype=np.float64) for one in unlike])
        similarity: NDArray[np.float32] = (1 - 2 * unlike) * light
        return np.array([one.sum(dtype=np.float64) for one in similarity])


def _luminance(mu_s: Plane, mu_d: Plane, middle: Plane) -> Plane:
    """SSIM's luminance term: mu_s lacks the mean `middle`."""
    total, squares = mu_s + middle, mu_d * mu_d
    answer: Plane = 1 - squares / ((total * total + squares) / 2 + np.float32(C1 * PEAK**2))
    return answer


def _least_size(picture: Pixels) -> Pixels:
    """Repeat the last row and column until both sides have 161 px."""
    short = [max(0, MIN_SIDE - side) for side in picture.shape[:2]]
    return np.pad(picture, [(0, short[0]), (0, short[1]), (0, 0)], mode="edge") if any(short) else picture
