"""What plain JPEG does with a large photo, by two files of it, of which few pixels are measured at full size.

- Squares of a picture, laid side by side, make a JPEG file whose bytes are near enough in proportion to say at which
  quality the picture's own file has the bytes wanted. The proportion is that of their baseline files, which have the
  same pixels as progressive ones and are made in a third of the time.
- MS-SSIM's three coarse scales are a sixteenth of its work and two thirds of its weight: they are taken of the whole
  file. The two fine ones are taken of the squares, in a file of their own: they lie on the grid of JPEG's blocks. What
  the networks restored is known everywhere, and tells how much easier or harder than the whole picture the squares are:
  JPEG's lack of similarity is scaled as ours is (a ratio estimator, Cochran: Sampling Techniques, 1977, chapter 6).
  Leaving out a square at a time says how far the answer can be off (the jackknife).
- How the squares' fine scales change from one quality to another tells how the whole file's coarse ones will, well
  enough to make the second file where it is wanted, and mostly no third.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from batchcomp.codec.plain_jpeg import (
    JpegCurve,
    decoded,
    encode_baseline,
    quality_of,
    scale_of,
)
from batchcomp.images.picture import Pixels
from batchcomp.metrics.coarse import FINE, coarse_terms, quarter
from batchcomp.metrics.ms_ssim import Terms, combined, ms_ssim_db

SIDE: Final = 128  # of a square: a multiple of JPEG's blocks
GRID: Final = 16  # px, of JPEG's 4:2:0 blocks
SHARE: Final = 1 / 16  # of a picture that its squares cover
LEAST: Final = 1_000_000  # px: smaller pictures are measured whole
HEAD, BASELINE_HEAD = 550, 300  # bytes of a file's segments and codes, whatever its pixels
TRIES: Final = 4  # whole files, to find the one of so many bytes
NEAR: Final = 0.15  # natural logarithm of bytes over those wanted: near enough
ERRORS: Final = 4  # standard errors that an estimate is taken to be off at most
BASE_DB: Final = 0.05  # what it may be off beyond that
SIZE_DB: Final = 0.2  # and what a file of 3 or 4 % more bytes has more: sizes are estimates
CLOSE_DB: Final = 0.6  # from the wanted MS-SSIM: near enough for a straight line through two files
DECIBELS_AN_OCTAVE: Final = 3.1  # of MS-SSIM, for each octave of the tables' scale: a large photo's, at usual qualities
COARSE_GROWTH: Final = (1.2, 1.5, 1.8)  # powers of the second scale's lack that those of the coarse ones go with:
# of eight photos from quality 12 to 80 they say a file's MS-SSIM by another one's to .26 dB (rms), .7 dB at most


def places(height: int, width: int) -> list[tuple[int, int]]:
    """Where squares (top, left) are cut from a picture: one in each cell of a grid; none where it is too small."""
    if height * width < LEAST or min(height, width) < 4 * SIDE:
        return []
    wanted = SHARE * height * width / SIDE**2
    rows = min(height // (SIDE + GRID), max(2, round(math.sqrt(wanted * height / width))))
    columns = min(width // (SIDE + GRID), max(2, round(wanted / rows)))
    found = []
    for number in range(rows * columns):
        row, column = divmod(number, columns)
        down, across = (math.modf((number + 1) * step)[0] for step in (0.7548776662, 0.5698402910))  # R2 sequence
        top = row * height // rows + down * (height // rows - SIDE)
        left = column * width // columns + across * (width // columns - SIDE)
        found.append((int(top) // GRID * GRID, int(left) // GRID * GRID))
    return found


def cut(pixels: Pixels, at: tuple[int, int]) -> Pixels:
    """The square (SIDE, SIDE, N) at (top, left)."""
    return pixels[at[0] : at[0] + SIDE, at[1] : at[1] + SIDE]


class _Squares(JpegCurve):
    """The squares' own curve; sizes are without what every file has."""

    def size(self, quality: int) -> int:
        """See `JpegCurve`."""
        return max(1, super().size(quality) - HEAD)


class QuickCurve(JpegCurve):
    """`JpegCurve` with estimated sizes, and MS-SSIM as squares have it in part.

    Args:
        original: uint8 (H, W, N).
        restored: what is compared with JPEG, same shape.
        ours: the terms of both, over the whole picture.
        at: `places` of the picture, at least one.
    """

    close_db = CLOSE_DB

    def __init__(self, original: Pixels, restored: Pixels, ours: Terms, at: list[tuple[int, int]]) -> None:
        super().__init__(original)
        squares = np.concatenate([cut(original, one) for one in at])
        self._whole, self._quarter, self._count = 1 - ours.means, quarter(original), len(at)
        self._ours = _lacks(squares, np.concatenate([cut(restored, one) for one in at]))
        self._squares = _Squares(squares)
        self._whole_file = lru_cache(maxsize=1)(lambda quality: encode_baseline(original, quality))
        self._squares_file = lru_cache(lambda quality: encode_baseline(squares, quality))
        self._fine = lru_cache(lambda quality: _lacks(squares, decoded(self._squares_file(quality))))
        self._area = original.shape[0] * original.shape[1] / (len(at) * SIDE**2)  # over that of the squares
        self._factors: dict[int, float] = {}  # bytes of whole files, over those of the squares
        self._coarse: dict[int, NDArray[np.float64]] = {}  # what whole files lack at the coarse scales
        self._errors: dict[int, float] = {}

    def size(self, quality: int) -> int:
        """Bytes of the file at a Pillow quality, estimated by the nearest one that was made."""
        near = min(self._factors, key=lambda made: abs(scale_of(made) - scale_of(quality)), default=0)
        return int(HEAD + self._squares.size(quality) * self._factors.get(near, self._area) + 0.5)

    def best_within(self, budget: int) -> int:
        """See `JpegCurve`; a file of about so many bytes is made and measured, by which others are estimated."""
        near = self._squares.best_within(round((budget - HEAD) / self._area))
        for _ in range(TRIES):
            factor = self._made(near)
            found = self._squares.best_within(math.floor((budget + 0.5 - HEAD) / factor))
            if abs(math.log(self.size(found) / self.size(near))) < NEAR:
                break
            self._factors.clear()
            near = found  # the squares were no good guide
        self.ms_ssim(near)
        return found

    def _made(self, quality: int) -> float:
        """Make the whole file, and note its bytes over those of the squares."""
        whole, squares = (len(file(quality)) - BASELINE_HEAD for file in (self._whole_file, self._squares_file))
        self._factors[quality] = max(1, whole) / max(1, squares)
        return self._factors[quality]

    def ms_ssim(self, quality: int) -> float:
        """MS-SSIM of the file at a Pillow quality, which is made for it."""
        if quality not in self._similarities:
            self._made(quality)
            self._measure(quality, decoded(self._whole_file(quality)))
        return self._similarities[quality]

    def _measure(self, quality: int, pixels: Pixels) -> None:
        """Note the MS-SSIM of a file's pixels, and its standard error."""
        coarse, fine = 1 - coarse_terms(self._quarter, quarter(pixels)).means[FINE:], self._fine(quality)
        lack, ours = fine.sum(axis=0), self._ours.sum(axis=0)
        self._coarse[quality], self._similarities[quality] = coarse, self._estimate(coarse, lack, ours)
        without = [
            ms_ssim_db(self._estimate(coarse, lack - one, ours - our))
            for one, our in zip(fine, self._ours, strict=True)
        ]
        self._errors[quality] = float(np.std(without)) * math.sqrt(len(without) - 1)

    def _guess(self, near: int, wanted: float, slope: float) -> int:
        """See `JpegCurve`; the squares' own file at a first guess tells how far that is off."""
        guess = super()._guess(near, wanted, slope if len(self.made) > 1 else -DECIBELS_AN_OCTAVE)
        known, run = ms_ssim_db(self.ms_ssim(near)), scale_of(guess) - scale_of(near)
        found = ms_ssim_db(self._foreseen(near, guess))
        if abs(found - wanted) < CLOSE_DB / 2 or (found - known) * run >= 0:
            return guess
        return quality_of(scale_of(near) + (wanted - known) * run / (found - known))

    def _foreseen(self, near: int, quality: int) -> float:
        """About the MS-SSIM of a file that is not made, by one that was."""
        lack, before = self._fine(quality).sum(axis=0), self._fine(near).sum(axis=0)
        ratio = np.divide(lack[-1], before[-1], out=np.ones_like(lack[-1]), where=before[-1] > 0)
        coarse = self._coarse[near] * ratio ** np.array(COARSE_GROWTH)[:, None]
        return self._estimate(np.minimum(coarse, 1), lack, self._ours.sum(axis=0))

    def about(self, quality: int) -> float:
        """MS-SSIM of a file that need not be made: on the straight line through the two nearest that were, in dB."""
        near = sorted(self._similarities, key=lambda made: abs(scale_of(made) - scale_of(quality)))[:2]
        if quality in near or len(near) == 1:
            return self.ms_ssim(near[0])
        (a, b), (c, d) = ((scale_of(made), ms_ssim_db(self._similarities[made])) for made in near)
        return float(1 - 10 ** (-(b + (d - b) * (scale_of(quality) - a) / (c - a)) / 10))

    @property
    def made(self) -> list[int]:
        """The qualities of the files that were made."""
        return list(self._similarities)

    @property
    def within_db(self) -> float:
        """How far, in dB, the MS-SSIM of any file may be off."""
        return BASE_DB + SIZE_DB + ERRORS * max(self._errors.values())

    def _estimate(self, coarse: NDArray[np.float64], lack: NDArray[np.float64], ours: NDArray[np.float64]) -> float:
        """MS-SSIM of a whole file, from what it lacks at coarse scales, and what its squares and ours lack in all."""
        ratio = np.divide(lack, ours, out=np.ones_like(lack), where=ours > 1e-9 * self._count)
        return combined(1 - np.concatenate([np.minimum(ratio * self._whole[:FINE], 2), coarse]))


def _lacks(x: Pixels, y: Pixels) -> NDArray[np.float64]:
    """What the fine terms of each of the squares that lie below one another lack to 1, (squares, FINE, N)."""
    pairs = ((x[top : top + SIDE], y[top : top + SIDE]) for top in range(0, len(x), SIDE))
    return np.array([1 - Terms.of(a, b, range(FINE), sparse=True).means[:FINE] for a, b in pairs])
