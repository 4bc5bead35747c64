"""Pictures for speed runs: crops and mosaics of real photos, no two alike."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from batchcomp.images.picture import Pixels

QUALITY = 92  # of the JPEG files written: a usual camera's


def crop_of(photos: Sequence[Pixels], number: int, side: int) -> Pixels:
    """Return the `number`-th crop, (side, side, 3), of photos taken in turn; small photos are mirrored outwards.

    Places are spread over each photo; the first pixel counts, so that no two crops are equal.
    """
    photo = photos[number % len(photos)]
    short = [max(0, side - length) for length in photo.shape[:2]]
    if any(short):
        photo = mosaic_of(photo, max(side, photo.shape[0]), max(side, photo.shape[1]))
    rng = np.random.default_rng(number)
    top, left = (int(rng.integers(0, length - side + 1)) for length in photo.shape[:2])
    crop = photo[top : top + side, left : left + side].copy()
    crop[0, 0] = (number & 255, (number >> 8) & 255, (number >> 16) & 255)
    return crop


def mosaic_of(photo: Pixels, height: int, width: int) -> Pixels:
    """Continue a photo by its mirror images to (height, width, 3), or cut it down."""
    rows, columns = (
        _there_and_back(length, wanted) for length, wanted in zip(photo.shape[:2], (height, width), strict=True)
    )
    mosaic: Pixels = photo[rows][:, columns]
    return mosaic


def _there_and_back(length: int, wanted: int) -> NDArray[np.intp]:
    """Indices 0 .. length - 1, then back, and so on."""
    at = np.arange(wanted) % (2 * length)
    return np.minimum(at, 2 * length - 1 - at)


def write_crops(photos: Sequence[Pixels], folder: Path, count: int, side: int) -> None:
    """Write that many JPEG files of (side, side)."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        Image.fromarray(crop_of(photos, number, side)).save(folder / f"{number:06}.jpg", quality=QUALITY)


def write_mosaic(photo: Pixels, path: Path, megapixels: float) -> None:
    """Write one 3:2 JPEG of that many megapixels."""
    height = round((megapixels * 1e6 / 1.5) ** 0.5)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(mosaic_of(photo, height, round(height * 1.5))).save(path, quality=QUALITY)
