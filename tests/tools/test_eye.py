"""`tools/eye.py`."""

from __future__ import annotations

import math
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("ssimulacra2", reason="needs the extra `bench`")
EYE = runpy.run_path(str(Path(__file__).parents[2] / "tools" / "eye.py"))
SSIMULACRA2, MS_SSIM_DB = EYE["SSIMULACRA2"], EYE["MS_SSIM_DB"]


def curve(rates: list[float], scores: list[float]) -> np.ndarray:
    """A made-up curve: MS-SSIM in dB and PSNR follow the score."""
    return np.array([[rate, score, score / 4, score / 2] for rate, score in zip(rates, scores, strict=True)])


JPEG = curve([0.1, 0.2, 0.4, 0.8, 1.6], [20, 40, 60, 80, 90])


@pytest.mark.parametrize(("factor", "percent"), [(1, 0), (0.5, -50), (1.25, 25)])
@pytest.mark.parametrize("column", [SSIMULACRA2, MS_SSIM_DB])
def test_bd_rate_is_the_change_of_bytes_at_equal_quality(factor: float, percent: float, column: int) -> None:
    """Whichever quality is compared, in every range, whatever the order of the points."""
    test = (JPEG * [factor, 1, 1, 1])[::-1]
    for low, high in ((30, 60), (60, 78), (78, 90)):
        scale = 1 if column == SSIMULACRA2 else 0.25
        assert EYE["change"](JPEG, test, column, low * scale, high * scale) == pytest.approx(percent)


def test_only_the_range_counts() -> None:
    """A curve may be better in one range and worse in another; between points logarithms of rates are even."""
    test = curve([0.05, 0.1, 0.4, 1.6, 3.2], [20, 40, 60, 80, 90])
    assert EYE["change"](JPEG, test, SSIMULACRA2, 20, 40) == pytest.approx(-50)
    assert EYE["change"](JPEG, test, SSIMULACRA2, 80, 90) == pytest.approx(100)
    assert EYE["change"](JPEG, test, SSIMULACRA2, 40, 80) == pytest.approx(0, abs=1e-6)


def test_points_on_other_scores_lie_on_the_same_curve() -> None:
    """The scores at which codecs were measured need not be the same."""
    test = curve([0.1 * 2**0.5, 0.2 * 2**0.5, 0.4 * 2**0.5], [30, 50, 70])
    assert EYE["change"](JPEG, test, SSIMULACRA2, 30, 60) == pytest.approx(0, abs=1e-6)


def test_curves_that_hardly_meet_in_a_range_say_nothing() -> None:
    """They must share a third of it."""
    test = curve([0.1, 0.2, 0.3], [10, 30, 39])
    assert math.isnan(EYE["change"](JPEG, test, SSIMULACRA2, 30, 60))
    assert not math.isnan(EYE["change"](JPEG, test, SSIMULACRA2, 30, 50))


def test_where_a_curve_turns_back_its_best_point_counts() -> None:
    """More bytes for a lower score are no loss: one would not take them."""
    turned = curve([0.1, 0.2, 0.3, 0.4, 0.8, 1.6], [20, 40, 35, 60, 80, 90])
    assert EYE["change"](JPEG, turned, SSIMULACRA2, 60, 90) == pytest.approx(0, abs=1e-6)
    assert 0 < EYE["change"](JPEG, turned, SSIMULACRA2, 40, 60) < 30


@pytest.mark.parametrize(
    ("rates", "text"), [([-10.0, -20.0], "-15.0"), ([-10.0, math.nan], "-10.0 (1)"), ([math.nan], "none")]
)
def test_the_mean_says_how_many_photos_it_is_of(rates: list[float], text: str) -> None:
    """Photos without a figure do not count."""
    assert EYE["mean_of"](rates) == text


class Halves:
    """A codec whose files hold the pixels, and half as many bytes for quality 1."""

    name = "halves"
    qualities = (1, 2)

    def encode(self, rgb: np.ndarray, quality: float) -> bytes:
        self._rgb = rgb
        return bytes(int(quality) * 100)

    def decode(self, _data: bytes) -> np.ndarray:
        return self._rgb


def test_curves_are_measured_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Real bytes give the rate; what the cache holds is not measured again."""
    rgb = np.random.default_rng(0).integers(0, 256, (256, 256, 3), dtype=np.uint8)
    loads: list[Any] = []
    monkeypatch.setitem(EYE["Curves"].of.__globals__, "load_rgb", lambda path: loads.append(path) or rgb)
    contender = EYE["Contender"]("halves", "halves", Halves())
    for _ in range(2):
        found = EYE["Curves"](tmp_path / "cache.json").of(contender, Path("sea/1.png"))
        assert found[:, 0].tolist() == [800 / 256**2, 1600 / 256**2]
        assert found[:, SSIMULACRA2].tolist() == pytest.approx([100, 100])
    assert len(loads) == 1
