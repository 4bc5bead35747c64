"""MS-SSIM of pictures is pytorch_msssim's, for any size, whatever the tiles and threads."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import pytorch_msssim
import torch

from batchcomp.metrics import ms_ssim as module
from batchcomp.metrics.ms_ssim import Terms, ms_ssim, ms_ssim_db
from tests.metrics.pictures import Pixels, nearly_flat, random_pair, smooth_pair


def reference(x: Pixels, y: Pixels) -> float:
    first, second = (torch.tensor(side).permute(2, 0, 1)[None].float() for side in (x, y))
    return float(pytorch_msssim.ms_ssim(first, second, data_range=255))


@pytest.mark.parametrize("pair", [smooth_pair, random_pair])
@pytest.mark.parametrize("size", [(161, 163), (641, 479), (176, 200), (200, 1100)])
def test_equals_the_reference(pair: Callable[..., tuple[Pixels, Pixels]], size: tuple[int, int]) -> None:
    """The promise of the module: 1e-5, odd sizes and several tiles included."""
    x, y = pair(*size)
    assert ms_ssim(x, y) == pytest.approx(reference(x, y), abs=1e-5)


def test_grey_equals_grey_replicated_to_rgb() -> None:
    """A greyscale picture scores what it scores as RGB."""
    x, y = smooth_pair(180, 190, 1)
    as_rgb = ms_ssim(np.repeat(x, 3, axis=2), np.repeat(y, 3, axis=2))
    assert ms_ssim(x, y) == pytest.approx(as_rgb, abs=1e-6)


@pytest.mark.parametrize("size", [(1, 1), (7, 8), (161, 162), (300, 20)])
def test_identical_pictures_of_any_size_score_one(size: tuple[int, int]) -> None:
    """A picture is like itself, down to one pixel."""
    x, _ = smooth_pair(*size)
    assert ms_ssim(x, x) == pytest.approx(1, abs=1e-5)


def test_a_short_side_is_extended_to_161_px_by_its_edge() -> None:
    """Small pictures count as if their last row and column went on."""
    x, y = smooth_pair(40, 200)
    taller = [np.pad(side, [(0, 121), (0, 0), (0, 0)], mode="edge") for side in (x, y)]
    assert ms_ssim(x, y) == pytest.approx(reference(*taller), abs=1e-5)


@pytest.mark.parametrize("tile", [(2, 7), (32, 64), (4096, 4096)])
def test_the_tile_size_does_not_matter(monkeypatch: pytest.MonkeyPatch, tile: tuple[int, int]) -> None:
    """Tiles of any size give the same value."""
    x, y = smooth_pair(203, 251)
    expected = ms_ssim(x, y)
    monkeypatch.setattr(module, "_ROWS", tile[0])
    monkeypatch.setattr(module, "_COLUMNS", tile[1])
    assert ms_ssim(x, y) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("size", [(203, 251), (336, 176), (161, 163), (162, 513), (1001, 333)])
def test_nothing_is_lost_or_counted_twice_where_pieces_meet(
    monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    """No scale is held as a whole; odd sides begin with a zero at every scale that has one."""
    x, y = random_pair(*size)
    monkeypatch.setattr(module, "_ROWS", 6)
    assert ms_ssim(x, y) == pytest.approx(reference(x, y), abs=1e-5)


def test_threads_do_not_matter() -> None:
    """Each colour is summed alone, so that the value does not depend on the threads."""
    x, y = smooth_pair(700, 501)
    assert ms_ssim(x, y, threads=3) == ms_ssim(x, y)


@pytest.mark.parametrize("size", [(7, 8), (203, 251), (511, 513)])
def test_colours_side_by_side_have_the_sums_of_each_alone(
    monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    """The colours of a small picture are summed together, to the last bit as if one after the other."""
    x, y = random_pair(*size)
    together = Terms.of(x, y).sums
    monkeypatch.setattr(module, "_SMALL", 0)
    assert np.array_equal(together, Terms.of(x, y).sums)


def test_terms_of_parts_add_up() -> None:
    """Terms of two pictures are those of both together: windows count alike, wherever they lie."""
    first, second = smooth_pair(200, 180), random_pair(170, 300)
    one, other = Terms.of(*first), Terms.of(*second)
    both = one + other
    assert both.windows == pytest.approx(one.windows + other.windows)
    assert both.means == pytest.approx((one.sums + other.sums) / (one.windows + other.windows))
    assert Terms.of(*first).similarity == ms_ssim(*first)


def test_read_only_and_strided_pictures_are_accepted() -> None:
    """Views and read-only arrays need no copy by the caller."""
    x, y = smooth_pair(400, 170)
    expected = ms_ssim(x[::2].copy(), y[::2].copy())
    x.flags.writeable = False
    assert ms_ssim(x[::2], y[::2]) == expected


@pytest.mark.parametrize("shape", [(20, 20), (20, 20, 4), (20, 21, 3)])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    """Pictures of two shapes, or of other channels, are an error."""
    with pytest.raises(ValueError, match="one shape"):
        ms_ssim(np.zeros(shape, np.uint8), np.zeros((20, 20, 3), np.uint8))


def test_decibels() -> None:
    """A tenth of the distance to 1 is 10 dB more, and 1 itself is infinite."""
    assert ms_ssim_db(0.99) == pytest.approx(20)
    assert ms_ssim_db(1.0) == math.inf


def in_double(x: Pixels, y: Pixels) -> float:
    first, second = (torch.tensor(side).permute(2, 0, 1)[None].double() for side in (x, y))
    return float(pytorch_msssim.ms_ssim(first, second, data_range=255))


@pytest.mark.parametrize("share", [1e-4, 0.02, 0.5])
@pytest.mark.parametrize("level", [1, 100, 200, 254, 255])
@pytest.mark.parametrize("channels", [1, 3])
def test_nearly_flat_pictures_lose_no_digits(level: int, channels: int, share: float) -> None:
    """However bright a blank scan is: the value that double precision gives, and never more than 1."""
    x = nearly_flat(level, channels, share=share)
    for y in (np.full_like(x, level), np.full_like(x, level - 1), x):
        assert ms_ssim(x, y) <= 1
        assert ms_ssim(x, y) == pytest.approx(in_double(x, y), abs=2e-7)


def _stripes(height: int, width: int) -> tuple[Pixels, Pixels]:
    """Rows of two levels in turns, and the same fainter, both with noise."""
    levels = np.where(np.arange(height) % 2, 120, 60)[:, None, None]
    noise = np.random.default_rng(3).normal(0, 6, (2, height, width, 3))
    first, second = np.clip([levels + noise[0], 90 + (levels - 90) // 3 + noise[1]], 0, 255).astype(np.uint8)
    return first, second


def _half_lost(height: int, width: int) -> tuple[Pixels, Pixels]:
    """Noise, and the same without its lower half."""
    first, _ = random_pair(height, width)
    second = first.copy()
    second[height // 2 :] = 128
    return first, second


@pytest.mark.parametrize("pair", [smooth_pair, _stripes, _half_lost])
def test_large_pictures_are_measured_by_every_other_row(pair: Callable[..., tuple[Pixels, Pixels]]) -> None:
    """The finest scale's rows of windows that are left out do not move the value by 1e-5, nor the other scales."""
    x, y = pair(1451, 1400)
    found, every = Terms.of(x, y), Terms.of(x, y, sparse=False)
    assert found.similarity == pytest.approx(reference(x, y), abs=1e-5)
    assert np.array_equal(found.sums[1:], every.sums[1:])
    assert not np.array_equal(found.sums[0], every.sums[0])


@pytest.mark.parametrize("size", [(1400, 1428), (1400, 1429)])
def test_no_row_of_small_or_unlike_pictures_is_left_out(size: tuple[int, int]) -> None:
    """Below two megapixels, and where the finest scale has next to nothing in common."""
    x, y = random_pair(*size)
    assert np.array_equal(Terms.of(x, y).sums, Terms.of(x, y, sparse=False).sums)
    left_out = not np.array_equal(Terms.of(x, x // 4 * 4).sums, Terms.of(x, x // 4 * 4, sparse=False).sums)
    assert left_out == (size[0] * size[1] >= 2_000_000)


@pytest.mark.parametrize("height", [1, 2, 11, 27, 64, 65, 75])
def test_half_the_rows_weigh_as_much_as_all(height: int) -> None:
    """Whatever is left over in a tile's last rows: where all windows are alike, the sums are those of all of them."""
    x = np.full((height, 90, 3), 100, np.uint8)
    x[:, ::3] = 60
    y = np.roll(x, 1, axis=1)
    scales = range(1)
    every, half = (Terms.of(x, y, scales, sparse=sparse).sums[0] for sparse in (False, True))
    assert half == pytest.approx(every, rel=1e-5)
