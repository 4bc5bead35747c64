"""`tools/quick_against_exact.py`."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from batchcomp.images.picture import Picture
from tests.cli.samples import photo

TOOLS = Path(__file__).parents[2] / "tools"


def test_small_pictures_agree_at_equal_bytes_and_nothing_is_measured_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Below a megapixel the file of equal bytes is an exact one; what was found goes on where it stopped."""
    Image.fromarray(photo(60, 70)).save(tmp_path / "a.png")
    out, tool = tmp_path / "found.jsonl", runpy.run_path(str(TOOLS / "quick_against_exact.py"))
    measured, lines = tool["measured"], tool["lines"]
    monkeypatch.setitem(measured.__globals__, "QUALITIES", (55,))
    measured(out, [tmp_path / "a.png"], "fast", 48, 1)
    (found,) = lines(out)
    assert (found["photo"], found["quality"], found["megapixels"]) == ("a.png", 55, 48 * 48 / 1e6)
    assert found["quick_db"] == found["exact_db"]
    assert not found["squares"]
    assert not found["lost"]
    measured(out, [tmp_path / "a.png"], "fast", 48, 1)
    assert len(list(lines(out))) == 1
    rows = tool["summary"](list(lines(out))).splitlines()
    assert rows[2].startswith("| 1, whole | 1 | 0.000, 0.00 | 0.00 | ")
    assert rows[2].endswith(" | 0 |")


def test_squares_of_one_picture_are_pictures_of_their_own() -> None:
    """They lie along the diagonal, and none of them twice."""
    square = runpy.run_path(str(TOOLS / "quick_against_exact.py"))["square"]
    picture = Picture(pixels=np.arange(64 * 80 * 3, dtype=np.uint32).astype(np.uint8).reshape(64, 80, 3))
    found = [square(picture, 16, number, 3).pixels for number in range(3)]
    places = (12, 16), (24, 32), (36, 48)
    for pixels, (top, left) in zip(found, places, strict=True):
        assert np.array_equal(pixels, picture.pixels[top : top + 16, left : left + 16])


def test_a_picture_that_loses_is_counted() -> None:
    """By squares, each with its own line; bytes that are not known count for nothing."""
    summary = runpy.run_path(str(TOOLS / "quick_against_exact.py"))["summary"]
    case = {"photo": "a", "megapixels": 2.0, "seconds": [1.0, 3.0], "squares": True, "within_db": 0.5}
    case |= {"quick_db": 10.25, "exact_db": 10.0, "quick_bytes": None, "exact_bytes": 5, "lost": True}
    other = {**case, "quick_db": 9.9, "quick_bytes": 110, "exact_bytes": 100, "lost": False}
    row = summary([case, other]).splitlines()[2]
    assert row == "| 1, by squares | 2 | 0.175, 0.25 | 0.50 | 10.00%, 10.0% | 0.50, 1.50 | 1 |"
