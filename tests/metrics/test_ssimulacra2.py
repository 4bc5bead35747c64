"""SSIMULACRA2 of pictures is the package's, for any size, whatever the strips."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from batchcomp.metrics import ssimulacra2 as module
from batchcomp.metrics.ssimulacra2 import ssimulacra2
from tests.metrics.pictures import Pixels, smooth_pair


def as_file(pixels: Pixels) -> io.BytesIO:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "BMP")
    buffer.seek(0)
    return buffer


@pytest.mark.parametrize("size", [(256, 288), (263, 291)])
def test_equals_the_package(size: tuple[int, int]) -> None:
    """Within a tenth of a point, on odd sides too. Below 256 px the package has five scales, and its weights shift."""
    package = pytest.importorskip("ssimulacra2")
    original, worse = smooth_pair(*size)
    expected = package.compute_ssimulacra2(as_file(original), as_file(worse))
    assert ssimulacra2(worse, original) == pytest.approx(expected, abs=0.1)


@pytest.mark.parametrize("size", [(1, 1), (7, 9), (40, 3), (130, 77)])
def test_equal_pictures_of_any_size_score_100(size: tuple[int, int]) -> None:
    """No picture is too small."""
    x, _ = smooth_pair(*size)
    assert ssimulacra2(x, x) == pytest.approx(100, abs=0.01)


def test_strips_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows meet without a seam."""
    original, worse = smooth_pair(301, 150)
    expected = ssimulacra2(worse, original)
    monkeypatch.setattr(module, "_ROWS", 22)
    assert ssimulacra2(worse, original) == pytest.approx(expected, abs=1e-3)


def test_grey_equals_grey_replicated_to_rgb() -> None:
    """A greyscale picture scores what it scores as RGB."""
    x, y = smooth_pair(140, 150, 1)
    as_rgb = ssimulacra2(np.repeat(x, 3, axis=2), np.repeat(y, 3, axis=2))
    assert ssimulacra2(x, y) == pytest.approx(as_rgb, abs=1e-4)


def test_other_shapes_are_refused() -> None:
    """Pictures of two shapes are an error."""
    with pytest.raises(ValueError, match="one shape"):
        ssimulacra2(np.zeros((20, 20, 3), np.uint8), np.zeros((20, 21, 3), np.uint8))
