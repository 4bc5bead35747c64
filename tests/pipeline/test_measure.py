"""The comparison with plain JPEG, against brute force."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from batchcomp.codec import jpeg, plain_jpeg, quick_jpeg
from batchcomp.codec.plain_jpeg import HIGHEST, LOWEST, JpegCurve
from batchcomp.images.load import load
from batchcomp.images.picture import Picture, Pixels
from batchcomp.pipeline import measure as module
from batchcomp.pipeline.alternatives import beats
from batchcomp.pipeline.measure import measure
from batchcomp.settings import EXACT, EYE, QUICK
from tests.cli.samples import photo

QUALITIES = range(LOWEST, HIGHEST + 1)


@cache
def curve_of(channels: int) -> JpegCurve:
    return JpegCurve(photo(40, 30, channels=channels))


def test_measure_compares_at_equal_bytes_and_at_equal_quality() -> None:
    """Both figures belong to real JPEG files of the original, chosen as documented."""
    pixels, curve = photo(40, 30), curve_of(3)
    restored = np.clip(pixels.astype(int) + 6, 0, 255).astype(np.uint8)
    budget = curve.size(40)
    found = measure(Picture(pixels=pixels), Picture(pixels=restored), budget, EXACT)
    assert found.jpeg is not None
    assert found.jpeg.bytes <= budget < curve.size(found.jpeg.quality + 1)
    assert found.jpeg.ms_ssim == curve.ms_ssim(found.jpeg.quality)
    wanted = [curve.size(quality) for quality in QUALITIES if curve.ms_ssim(quality) >= found.ms_ssim]
    assert found.jpeg.bytes_at_ms_ssim == (pytest.approx(wanted[0], rel=0.05) if wanted else None)


def test_an_exact_copy_measures_one() -> None:
    """MS-SSIM of a picture with itself is 1."""
    picture = Picture(pixels=photo(7, 5))
    assert measure(picture, picture, 400).ms_ssim == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 1, 1), (7, 8, 3), (1, 200, 1)])
def test_odd_sizes_can_be_measured(shape: tuple[int, int, int]) -> None:
    """No picture is too small or too thin."""
    pixels: Pixels = np.full(shape, 99, dtype=np.uint8)
    found = measure(Picture(pixels=pixels), Picture(pixels=pixels), 1)
    assert found.jpeg is not None
    assert found.jpeg.quality == LOWEST
    assert found.jpeg.bytes > 1


def test_a_side_beyond_jpegs_limit_has_no_rival(monkeypatch: pytest.MonkeyPatch) -> None:
    """What plain JPEG cannot hold is measured without it instead of ending the run."""
    monkeypatch.setattr(module, "MAX_SIDE", 10)
    picture = Picture(pixels=photo(11, 5))
    found = measure(picture, picture, 400)
    assert found.jpeg is None
    assert found.ms_ssim > 0.99


PHOTOS = sorted((Path(__file__).parents[2] / "examples" / "photos").glob("*.png"))


@pytest.mark.parametrize("photo_file", PHOTOS, ids=lambda path: path.stem)
def test_what_loses_to_jpeg_is_never_said_to_win(photo_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Around the bytes at which JPEG draws level, a quick measurement that says we win is right, by exact files."""
    monkeypatch.setattr(quick_jpeg, "SIDE", 32)
    monkeypatch.setattr(quick_jpeg, "LEAST", 0)
    pixels = load(photo_file).pixels[:176, :208]
    assert quick_jpeg.places(*pixels.shape[:2])
    original, exact = Picture(pixels=pixels), JpegCurve(pixels)
    claims = 0
    for quality in (12, 60):
        restored = Picture(pixels=jpeg.decode(plain_jpeg.encode(pixels, quality))[0] // 2 * 2)
        ours = module.Terms.of(pixels, restored.pixels).similarity
        level = exact.bytes_at(ours, quality)
        assert level is not None
        for share in (0.98, 1.02, 1.1, 2):
            budget = round(share * level)
            found = measure(original, restored, budget, QUICK)
            assert found.ms_ssim == ours
            fitting = exact.best_within(budget)
            won = exact.size(fitting) > budget or ours > exact.ms_ssim(fitting)
            claims += beats(found, found.jpeg, budget)
            assert won or not beats(found, found.jpeg, budget)
    assert claims >= 2  # where JPEG has half the bytes


def test_a_quick_measurement_is_near_the_exact_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Our MS-SSIM is the same, JPEG's within the bound, its bytes within a tenth."""
    monkeypatch.setattr(quick_jpeg, "SIDE", 64)
    monkeypatch.setattr(quick_jpeg, "LEAST", 0)
    pixels = load(PHOTOS[0]).pixels
    original, restored = Picture(pixels=pixels), Picture(pixels=jpeg.decode(plain_jpeg.encode(pixels, 45))[0])
    budget = len(plain_jpeg.encode(pixels, 15))
    quick, exact = (measure(original, restored, budget, how) for how in (QUICK, EXACT))
    assert quick.ms_ssim == exact.ms_ssim
    assert quick.jpeg is not None
    assert exact.jpeg is not None
    assert exact.jpeg.within_db == 0 < quick.jpeg.within_db
    off = module.ms_ssim_db(quick.jpeg.ms_ssim) - module.ms_ssim_db(exact.jpeg.ms_ssim)
    assert abs(off) <= quick.jpeg.within_db
    assert quick.jpeg.bytes_at_ms_ssim == pytest.approx(exact.jpeg.bytes_at_ms_ssim, rel=0.1)


@pytest.mark.parametrize("how", [QUICK, EXACT, EYE])
def test_threads_do_not_matter(how: str) -> None:
    """The same figures, whatever the jobs."""
    original, restored = Picture(pixels=photo(170, 190)), Picture(pixels=photo(170, 190) // 3 * 3)
    assert measure(original, restored, 4_000, how, threads=1) == measure(original, restored, 4_000, how, threads=3)


def test_ssimulacra2_is_measured_where_it_is_asked_for() -> None:
    """100 for an exact copy, None otherwise."""
    picture = Picture(pixels=photo(40, 50))
    assert measure(picture, picture, 400, EYE).ssimulacra2 == pytest.approx(100, abs=0.01)
    assert measure(picture, picture, 400, QUICK).ssimulacra2 is None
