"""Plain JPEG: the best of so many bytes, the smallest that reaches a quality, the curve between."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from batchcomp.codec import jpeg, plain_jpeg
from batchcomp.codec.plain_jpeg import ASTRAY, HIGHEST, LOWEST, JpegCurve
from batchcomp.images.load import load
from tests.cli.samples import photo

QUALITIES = range(LOWEST, HIGHEST + 1)


@cache
def curve_of(channels: int) -> JpegCurve:
    return JpegCurve(photo(40, 30, channels=channels))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("budget", [0, 300, 500, 700, 1_000, 1_500, 10_000_000])
def test_best_within_is_the_best(channels: int, budget: int) -> None:
    """The quality is the highest of 1..100 whose file fits, or the lowest where none does."""
    curve = curve_of(channels)
    fitting = [quality for quality in QUALITIES if curve.size(quality) <= budget]
    assert curve.best_within(budget) == max(fitting, default=LOWEST)


def test_every_size_of_the_curve_is_its_own_answer() -> None:
    """A budget of exactly a file's bytes is met by a file of those bytes, and one byte less is not."""
    curve = curve_of(3)
    for quality in range(5, 100, 9):
        size = curve.size(quality)
        assert curve.size(curve.best_within(size)) == size
        assert curve.size(curve.best_within(size - 1)) < size


@pytest.mark.parametrize("start", [1, 20])
def test_reaching_is_the_lowest_quality_that_reaches(start: int) -> None:
    """Where MS-SSIM rises with quality, the search finds what a scan from `start` finds."""
    curve = curve_of(3)
    values = {quality: curve.ms_ssim(quality) for quality in QUALITIES}
    for target in (0.5, 0.9, 0.95, 0.97, 0.99, 0.9999):
        reached = [quality for quality in QUALITIES if quality >= start and values[quality] >= target]
        rises = all(values[quality] >= target for quality in range(reached[0], HIGHEST + 1)) if reached else True
        if rises:
            assert curve.reaching(target, start) == (reached[0] if reached else None)


@pytest.mark.parametrize("start", [1, 20, 60, 97])
def test_bytes_at_is_what_a_scan_of_all_qualities_finds(start: int) -> None:
    """Wherever the search begins, the interpolated bytes lie between the last file below and the first above."""
    curve = JpegCurve(photo(170, 180))
    values = {quality: curve.ms_ssim(quality) for quality in QUALITIES}
    for target in (0.9, 0.95, 0.97, 0.99, 0.998):
        above = next((quality for quality in QUALITIES if values[quality] >= target), None)
        found = curve.bytes_at(target, start)
        if above is None:
            assert found is None
        else:
            below = curve.size(max(LOWEST, above - 1))
            assert 0.98 * below <= found <= 1.02 * curve.size(above)


def test_a_flat_picture_whose_files_are_all_alike_has_an_answer() -> None:
    """Also where the lowest quality was measured before and does not fit."""
    curve = JpegCurve(np.full((40, 40, 3), 128, np.uint8))
    assert curve.size(LOWEST) == curve.size(2)
    assert curve.best_within(curve.size(LOWEST) - 1) == LOWEST
    assert curve.best_within(curve.size(LOWEST)) > LOWEST


def test_few_files_find_the_best_within() -> None:
    """A real photo takes 3 or 4 files, any budget at most what halving 100 qualities takes behind the first five."""
    pixels = load(Path(__file__).parents[2] / "examples/photos/coffee.png").pixels
    counts = []
    for bpp in (0.1, 0.2, 0.4, 0.8, 1.6):
        curve = JpegCurve(pixels)
        curve.best_within(round(bpp * pixels.shape[0] * pixels.shape[1] / 8))
        counts.append(len(curve._sizes))
    assert sum(counts) <= 4 * len(counts)
    assert max(counts) <= 12


@pytest.mark.parametrize("gain", [-1.0, 0.3, 1.5, 3.0])  # dB above JPEG at the same bytes
def test_few_files_are_measured(gain: float) -> None:
    """The comparison of one picture costs few measurements and encodings, for any budget."""
    pixels = photo(170, 180)
    for budget in (2_000, 4_000, 8_000, 12_000):
        curve = JpegCurve(pixels)
        fitting = curve.best_within(budget)
        curve.bytes_at(1 - (1 - curve.ms_ssim(fitting)) * 10 ** (-gain / 10), fitting)
        assert len(curve._similarities) <= 7  # 3 or 4 of photos; this noise is hard
        assert len(curve._sizes) <= 14


@pytest.mark.parametrize("gain", [-9.0, -3.0, 1.0, 4.0, 12.0])  # dB above JPEG at the same bytes
def test_noise_of_a_few_pixels_leads_no_estimate_beyond_all_files(gain: float) -> None:
    """Its MS-SSIM says little of its quality, so that a line through two files may lead anywhere."""
    for seed in range(40):
        curve = JpegCurve(np.random.default_rng(seed).integers(0, 256, (16, 16, 3), dtype=np.uint8))
        fitting = curve.best_within(700)
        found = curve.bytes_near(1 - (1 - curve.ms_ssim(fitting)) * 10 ** (-gain / 10), fitting)
        assert found is None or curve.size(LOWEST) / ASTRAY <= found <= ASTRAY * curve.size(HIGHEST)


def test_a_target_below_the_lowest_quality_costs_its_bytes() -> None:
    """JPEG's smallest file is the answer where it is good enough."""
    curve = curve_of(3)
    assert curve.bytes_at(0.01, 30) == curve.size(LOWEST)


def test_what_jpeg_cannot_reach_is_none() -> None:
    """Chroma subsampling keeps JPEG below 1: no file is better than an exact copy."""
    assert curve_of(3).bytes_at(1.0, LOWEST) is None


@pytest.mark.parametrize("best", [0, 1, 2, 17, 50, 99, 100])
@pytest.mark.parametrize("start", [1, 30, 100])
def test_the_highest_that_fits_is_found(best: int, start: int) -> None:
    """Wherever the search starts, it ends at the last quality that fits, or says that none does."""
    asked: list[int] = []

    def fits(quality: int) -> bool:
        asked.append(quality)
        return quality <= best

    assert plain_jpeg.highest(fits, start) == (best or None)
    assert all(1 <= quality <= 100 for quality in asked)
    assert len(asked) <= 16


@pytest.mark.parametrize("channels", [1, 3])
def test_baseline_files_have_the_pixels_of_progressive_ones(channels: int) -> None:
    """So that what is measured of one is true of the other; they are a little larger."""
    pixels = photo(61, 47, channels=channels)
    for quality in (5, 60, 97):
        progressive, baseline = plain_jpeg.encode(pixels, quality), plain_jpeg.encode_baseline(pixels, quality)
        assert np.array_equal(jpeg.decode(progressive)[0], jpeg.decode(baseline)[0])
        assert b"\xff\xc2" in progressive
        assert b"\xff\xc0" in baseline


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [(1, 1), (7, 9), (61, 83)])
def test_decoded_pixels_are_those_of_pillow(channels: int, size: tuple[int, int]) -> None:
    """Two packages, one library: progressive and baseline files alike."""
    pixels = photo(*size, channels=channels)
    for data in (plain_jpeg.encode(pixels, 40), plain_jpeg.encode_baseline(pixels, 85)):
        found = plain_jpeg.decoded(data)
        assert found.shape == pixels.shape
        assert np.array_equal(found, jpeg.decode(data)[0])


def test_the_lowest_quality_does_not_stand_in_for_files_above(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the search begins at it and both files next to the target are above that, their line gives the bytes."""
    curve = JpegCurve(photo(8, 8))
    monkeypatch.setattr(curve, "_similarities", {LOWEST: 0.75, 30: 0.99, 28: 0.988})
    monkeypatch.setattr(curve, "_sizes", {LOWEST: 3_000, 30: 12_000, 28: 11_500})
    found = curve._on_line([LOWEST, 30, 28], 19.0)
    assert found is not None
    assert 11_000 < found < 11_500
    assert curve._on_line([LOWEST, 30], 5.9) == 3_000
