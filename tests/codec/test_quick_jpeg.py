"""JPEG's figures from two files and some squares, held against those of whole files."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import numpy as np
import pytest

from batchcomp.codec import jpeg, plain_jpeg
from batchcomp.codec.plain_jpeg import JpegCurve
from batchcomp.codec.quick_jpeg import GRID, LEAST, SHARE, SIDE, QuickCurve, places
from batchcomp.images.picture import Pixels
from batchcomp.metrics.ms_ssim import Terms, ms_ssim_db
from tests.cli.samples import photo


@cache
def original() -> Pixels:
    """Slightly more than a megapixel: smooth on the left, busy on the right."""
    tile = photo(280, 300)
    picture = np.tile(tile, (4, 4, 1))[:1000, :1060].copy()
    picture[:, :400] = picture[:, :1] // 2 + 60
    return picture


@cache
def restored() -> Pixels:
    return jpeg.decode(plain_jpeg.encode(original(), 70))[0]


@cache
def curve() -> tuple[QuickCurve, JpegCurve, Terms]:
    ours = Terms.of(original(), restored())
    quick = QuickCurve(original(), restored(), ours, places(*original().shape[:2]))
    return quick, JpegCurve(original()), ours


@pytest.mark.parametrize("size", [(1000, 1000), (3000, 4000), (600, 20_000), (12_001, 517), (16_000, 20_000)])
def test_squares_lie_inside_on_the_grid_and_apart(size: tuple[int, int]) -> None:
    """They cover about the share that they should, each in a cell of its own."""
    found = places(*size)
    height, width = size
    assert all(0 <= top <= height - SIDE and 0 <= left <= width - SIDE for top, left in found)
    assert all(top % GRID == left % GRID == 0 for top, left in found)
    assert len(set(found)) == len(found)
    taken = np.zeros((height // GRID, width // GRID), np.int8)
    for top, left in found:
        taken[top // GRID : (top + SIDE) // GRID, left // GRID : (left + SIDE) // GRID] += 1
    assert taken.max() == 1
    assert 0.5 * SHARE < len(found) * SIDE**2 / (height * width) < 2 * SHARE


@pytest.mark.parametrize("size", [(1, 1), (900, 1100), (400, 100_000)])
def test_small_and_thin_pictures_are_measured_whole(size: tuple[int, int]) -> None:
    """Squares of them would be few, or most of the picture."""
    assert places(*size) == [] or size[0] * size[1] >= LEAST
    assert places(511, 100_000) == []


@pytest.mark.parametrize("quality", [8, 30, 75])
def test_measured_files_are_within_the_bound(quality: int) -> None:
    """MS-SSIM of a file is as near as the curve says, and its bytes are within a fiftieth."""
    _, exact, ours = curve()
    quick = QuickCurve(original(), restored(), ours, places(*original().shape[:2]))
    quick.best_within(exact.size(quality))
    assert abs(ms_ssim_db(quick.ms_ssim(quality)) - ms_ssim_db(exact.ms_ssim(quality))) <= quick.within_db
    assert quick.size(quality) == pytest.approx(exact.size(quality), rel=0.02)


def test_our_own_file_is_met_exactly() -> None:
    """Where JPEG restores the very picture that ours is, squares tell next to nothing new: both lack the same.

    What is left is the chroma along the squares' edges, whose neighbours are not in their file.
    """
    quick, exact, ours = curve()
    assert quick.ms_ssim(70) == pytest.approx(exact.ms_ssim(70), abs=5e-5)
    assert quick.ms_ssim(70) == pytest.approx(ours.similarity, abs=5e-5)


@pytest.mark.parametrize("bpp", [0.1, 0.4, 1.2])
def test_the_best_within_is_about_the_best(bpp: float) -> None:
    """The quality is that of the real curve or one beside it, and few whole files are made for it."""
    _, exact, _ = curve()
    fresh = QuickCurve(original(), original(), Terms.of(original(), original()), places(*original().shape[:2]))
    budget = round(bpp * original().shape[0] * original().shape[1] / 8)
    found, wanted = fresh.best_within(budget), exact.best_within(budget)
    assert abs(found - wanted) <= 1
    assert len(fresh.made) == 1


def test_files_between_are_on_a_straight_line() -> None:
    """An estimate lies between its neighbours', and is a measured file's own where there is one."""
    quick, _, _ = curve()
    for quality in (20, 40):
        quick.ms_ssim(quality)
    values = [quick.about(quality) for quality in range(20, 41)]
    assert all(a < b for a, b in pairwise(values))
    assert (values[0], values[-1]) == (quick.ms_ssim(20), quick.ms_ssim(40))
