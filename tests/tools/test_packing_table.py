"""`tools/packing_table.py`."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from batchcomp.codec.codec import Codec

pytest.importorskip("imagecodecs", reason="needs the extra `bench`")
pytest.importorskip("constriction", reason="packing needs it")
TOOL = runpy.run_path(str(Path(__file__).parents[2] / "tools" / "packing_table.py"))


def test_means_are_compared() -> None:
    """Sums of bytes count, not means of ratios."""
    text = TOOL["table"]([(55, [(100, 80, 90), (300, 200, 290)])])
    assert text.splitlines()[-1] == "| 55 | 200 | -30.0% | -5.0% |"


def test_packed_is_the_smallest(three_photos: Path) -> None:
    """Of a photo each of the three is a file of its own."""
    plain, packed, jxl = TOOL["sizes"](Codec.open(Path("fast"), device="cpu"), next(three_photos.iterdir()), 55)
    assert packed < jxl < plain
