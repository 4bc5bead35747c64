"""Images are resized by Lanczos."""

from __future__ import annotations

import numpy as np
from PIL import Image

from batchcomp.images.resizing import resize_image


def test_resize_is_lanczos_of_the_part() -> None:
    """Height comes first in sizes; a part far from the rest of the picture knows nothing of it."""
    pixels = np.full((40, 60, 3), 77, np.uint8)
    pixels[:, 30:] = 200
    image = Image.fromarray(pixels)
    assert resize_image(image, (10, 15)).size == (15, 10)
    assert (np.asarray(resize_image(image, (10, 4), box=(0, 0, 10, 40))) == 77).all()
