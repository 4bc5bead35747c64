"""`tools/ladder.py`."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from batchcomp.benchmark.kept import KeptCurves
from batchcomp.codec import weights
from tests.cli.samples import photo

pytest.importorskip("ssimulacra2", reason="needs the extra `bench`")
LADDER = runpy.run_path(str(Path(__file__).parents[2] / "tools" / "ladder.py"))
HALF = np.array([[1.0, 78, 15], [1.4, 82, 16], [2.0, 84, 17]])
FULL = np.array([[1.2, 76, 15], [1.5, 83, 17], [2.0, 90, 20]])


def test_a_step_is_told_by_its_cost_and_by_who_gains() -> None:
    """From 1.4 to 1.5 bits per pixel one of two pictures gains by SSIMULACRA2, both by MS-SSIM."""
    worse = FULL - [0, 2, 0]
    cost, line = LADDER["row"]([HALF, HALF], [FULL, worse], 1, 1)
    assert cost == pytest.approx(100 / 14)
    assert line.split("|")[3:8] == [" 82.0 ", " 82.0 ", " +7.1 ", " 50 ", " 100 "]


def test_the_smaller_of_both_is_the_measure() -> None:
    """Ending where the curves cross costs least: earlier the step is wide, later half size goes on too long."""
    early, crossing, late = (LADDER["excess"](HALF, FULL, end, start) for end, start in ((0, 0), (1, 1), (2, 1)))
    assert 0 <= crossing < late
    assert crossing < LADDER["excess"](HALF, FULL, 0, 2)
    assert early > crossing


def test_each_place_is_measured_as_users_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """More bytes and a better score with each place, at both sizes; and from the cache the next time."""
    picture = tmp_path / "a.png"
    Image.fromarray(photo(256, 256)).save(picture)
    function = LADDER["curve"]
    monkeypatch.setitem(function.__globals__, "HALF_ENDS", (91.0, 109.0))
    monkeypatch.setitem(function.__globals__, "FULL_STARTS", (40.0, 72.0))
    for full in (False, True):
        points = function(KeptCurves(tmp_path / "cache.json"), weights.load_shipped("fast"), picture, full=full)
        assert points.shape == (2, 3)
        assert (np.diff(points, axis=0) > 0).all()
        monkeypatch.setitem(function.__globals__, "Placed", None)
        assert np.array_equal(
            function(KeptCurves(tmp_path / "cache.json"), weights.load_shipped("fast"), picture, full=full), points
        )
        monkeypatch.setitem(function.__globals__, "Placed", LADDER["Placed"])
