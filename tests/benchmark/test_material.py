"""Pictures for speed runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from batchcomp.benchmark.material import crop_of, mosaic_of, write_crops, write_mosaic
from batchcomp.images.load import load
from tests.benchmark.samples import photo


def test_crops_differ_and_keep_their_size(tmp_path: Path) -> None:
    """Equal files would be stored once: no two of them are equal, from small photos too."""
    photos = [photo(), photo(seed=1)]
    crops = [crop_of(photos, number, 200).tobytes() for number in range(20)]
    assert len(set(crops)) == 20
    write_crops(photos, tmp_path, 3, 64)
    assert [load(path).pixels.shape for path in sorted(tmp_path.iterdir())] == [(64, 64, 3)] * 3


def test_mosaics_continue_a_photo_by_its_mirror_image(tmp_path: Path) -> None:
    """No seam: next to the last column stands the last column."""
    small = photo(10, 12)
    large = mosaic_of(small, 25, 30)
    assert large.shape == (25, 30, 3)
    assert np.array_equal(large[:10, :12], small)
    assert np.array_equal(large[:10, 12:24], small[:, ::-1])
    write_mosaic(small, tmp_path / "a" / "b.jpg", 0.01)
    assert load(tmp_path / "a" / "b.jpg").pixels[..., 0].size == pytest.approx(10_000, rel=0.03)
