"""`tools/native_crops.py`."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
from PIL import Image

TOOLS = Path(__file__).parents[2] / "tools"


def test_crops_are_pixels_of_the_photo_as_it_stands_upright(tmp_path: Path) -> None:
    """The middle, and a place at the lower left, of a photo that its orientation turns by a quarter."""
    (tmp_path / "in").mkdir()
    rows, columns = np.mgrid[:800, :1200]
    pixels = np.stack([rows % 256, columns % 256, (rows + columns) // 8], axis=2).astype(np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 6  # turn clockwise
    Image.fromarray(pixels).save(tmp_path / "in/a.png", exif=exif)
    runpy.run_path(str(TOOLS / "native_crops.py"))["make"](tmp_path / "in", tmp_path / "out")
    upright = np.rot90(pixels, -1)
    assert upright.shape == (1200, 800, 3)
    with Image.open(tmp_path / "out/a_0.png") as middle, Image.open(tmp_path / "out/a_1.png") as low:
        assert np.array_equal(middle, upright[344:856, 144:656])
        assert np.array_equal(low, upright[538:1050, 100:612])
