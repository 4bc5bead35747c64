"""Pillow images to arrays, a strip at a time: Pillow's own conversion needs three times the memory. And back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from PIL import Image

from batchcomp.images.alpha import channel
from batchcomp.images.picture import Picture, Pixels

Memory = Callable[[tuple[int, int, int]], Pixels]
STRIP_BYTES: Final = 4 << 20  # of pixels copied at once


def plain_memory(shape: tuple[int, int, int]) -> Pixels:
    """Return an empty array (height, width, channels) of uint8 in memory of this process."""
    return np.empty(shape, np.uint8)


def pixels_of(image: Image.Image, empty: Memory = plain_memory) -> Pixels:
    """Return the pixels (H, W, channels), uint8, of an image with 8 bits a channel, in memory that `empty` makes."""
    pixels = empty((image.height, image.width, len(image.mode)))
    strip = max(1, STRIP_BYTES // (pixels.shape[1] * pixels.shape[2]))
    for top in range(0, len(pixels), strip):
        part = np.asarray(image.crop((0, top, image.width, min(top + strip, image.height))))
        pixels[top : top + strip] = part if part.ndim == 3 else part[:, :, None]
    return pixels


def to_image(picture: Picture) -> Image.Image:
    """Return the pixels, with the alpha channel where there is one, as Pillow's picture.

    EXIF, ICC profile and XMP stand in its `info`, from where Pillow's `save` takes them if told so.

    Raises:
        PictureError: the alpha channel is damaged.
    """
    image = Image.fromarray(picture.pixels[:, :, 0] if picture.mode == "L" else picture.pixels)
    metadata = picture.metadata
    if metadata.alpha:
        image = Image.merge(picture.full_mode, (*image.split(), channel(metadata.alpha, image.size)))
    found = {"exif": metadata.exif, "icc_profile": metadata.icc, "xmp": metadata.xmp}
    image.info.update({name: value for name, value in found.items() if value})
    return image
