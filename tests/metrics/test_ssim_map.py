"""SSIM by place agrees with scikit-image's definition and covers every pixel."""

from __future__ import annotations

import numpy as np
import pytest
from skimage.metrics import structural_similarity

from batchcomp.metrics.ssim_map import ssim_map
from tests.cli.samples import photo


@pytest.mark.parametrize(("height", "width", "channels"), [(61, 83, 3), (300, 40, 1), (1, 1, 3), (7, 200, 1)])
def test_every_block_has_a_value_and_equal_pictures_are_1(height: int, width: int, channels: int) -> None:
    """The map has a value a block, cut ones too, and is 1 where nothing differs."""
    picture = photo(height, width, channels=channels)
    found = ssim_map(picture, picture, block=8)
    assert found.shape == (-(-height // 8), -(-width // 8))
    assert found == pytest.approx(1, abs=1e-6)


def test_it_is_the_ssim_of_wang() -> None:
    """Away from the edges the mean is that of scikit-image with Gaussian weights."""
    original = photo(320, 48, channels=1)
    other = np.clip(original.astype(int) + np.random.default_rng(0).integers(-12, 13, original.shape), 0, 255)
    found = ssim_map(other.astype(np.uint8), original, block=1)
    _, expected = structural_similarity(
        other[..., 0].astype(np.uint8),
        original[..., 0],
        gaussian_weights=True,
        use_sample_covariance=False,
        sigma=1.5,
        data_range=255,
        full=True,
    )
    assert found[8:-8, 8:-8] == pytest.approx(expected[8:-8, 8:-8], abs=2e-4)


def test_it_says_where() -> None:
    """Only the blocks around a disturbed spot fall below 1."""
    original = photo(64, 64)
    other = original.copy()
    other[40:44, 8:12] = 255 - other[40:44, 8:12]
    found = ssim_map(other, original, block=16)
    assert found[2, 0] == found.min() < 0.9
    assert found[0, 3] == pytest.approx(1, abs=1e-6)


def test_shapes_must_agree() -> None:
    """Pictures of two shapes are refused."""
    with pytest.raises(ValueError, match="one shape"):
        ssim_map(photo(8, 8), photo(8, 9))
