"""The guards' rule: JPEG gets our bytes and never more, unless it cannot."""

from __future__ import annotations

from pathlib import Path

import pytest

from batchcomp.benchmark.curves import Task
from batchcomp.benchmark.guards import best_fitting, guard_at, guard_picture, summarise
from batchcomp.benchmark.rivals.jpeg import JpegRival
from batchcomp.benchmark.rivals.ours import Ours
from batchcomp.images.picture import Pixels
from batchcomp.metrics.rate import bits_per_pixel
from tests.benchmark.samples import HalfJpeg, photo, save_photos


@pytest.mark.parametrize("best", [1, 2, 50, 63, 99, 100])
def test_bisection_finds_the_best_quality_that_fits(best: int) -> None:
    """It is the highest quality whose file has no more bytes than allowed."""
    found = best_fitting(lambda quality: b"x" * (10 * quality), 10 * best + 9)
    assert found == (best, b"x" * (10 * best))


def test_bisection_says_when_nothing_fits() -> None:
    """Where the coarsest quality is too large there is no answer."""
    assert best_fitting(lambda quality: b"x" * (10 * quality), 9) is None


def test_same_bytes(tmp_path: Path) -> None:
    """JPEG gets the best quality that fits our bytes, ours the best that fits the rate."""
    (path,) = save_photos(tmp_path, 1)
    ours, jpeg = Ours(HalfJpeg()), JpegRival()
    guards = guard_picture(Task(path=path, name="p"), (0.5, 1.0), ours, jpeg)
    rgb = photo()
    assert [guard.rate for guard in guards] == [0.5, 1.0]
    for guard in guards:
        assert guard.fits
        assert guard.ours.bpp <= guard.rate < bits_per_pixel(len(ours.encode(rgb, guard.ours.quality + 1)), 168, 176)
        assert guard.anchor.size <= guard.ours.size < len(jpeg.encode(rgb, guard.anchor.quality + 1))


def test_rates_out_of_reach_are_left_out_or_said() -> None:
    """A rate below our coarsest file is left out; one that only JPEG misses is marked."""
    rgb = photo()
    assert guard_at(rgb, "p", 0.001, Ours(HalfJpeg()), JpegRival()) is None
    least = bits_per_pixel(len(ShorterJpeg().encode(rgb, 1)), 168, 176)
    guard = guard_at(rgb, "p", least * 1.0001, ShorterJpeg(), JpegRival())
    assert guard
    assert not guard.fits
    assert guard.anchor.quality == 1


class ShorterJpeg(JpegRival):
    """JPEG in a few bytes fewer than JPEG."""

    def encode(self, rgb: Pixels, quality: float) -> bytes:
        return super().encode(rgb, quality)[:-2]

    def decode(self, data: bytes) -> Pixels:
        return super().decode(data + bytes.fromhex("FFD9"))  # the end mark


def test_summary_counts_and_averages(tmp_path: Path) -> None:
    """A summary has the wins and the means of both sides at one rate."""
    (path,) = save_photos(tmp_path, 1)
    guards = guard_picture(Task(path=path, name="p"), (1.0,), JpegRival(), Ours(HalfJpeg()))
    summary = summarise(guards, 1.0)
    assert summary
    ours, other = guards[0].ours, guards[0].anchor
    assert summary.pictures == 1
    assert summary.psnr_wins == int(ours.psnr > other.psnr)
    assert summary.ciede2000_wins == int(ours.ciede2000 < other.ciede2000)
    assert summary.ssimulacra2 == (ours.ssimulacra2, other.ssimulacra2)
    assert summarise(guards, 0.2) is None
