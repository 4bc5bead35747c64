"""Decodes large JPEG files straight into the picture's memory: Pillow would hold 4 bytes a pixel beside it."""

from __future__ import annotations

from typing import Final

from PIL import Image, ImageFile

from batchcomp.images.picture import Pixels
from batchcomp.images.pillow_array import Memory

LEAST: Final = 50_000_000  # pixels
_COLOURS: Final = {"RGB": ("RGB", 3), "L": ("Gray", 1)}


def serves(image: Image.Image) -> bool:
    """Tell whether an opened file is a large JPEG of a mode that is decoded here."""
    return image.format == "JPEG" and image.mode in _COLOURS and image.width * image.height >= LEAST


def pixels_of(image: ImageFile.ImageFile, data: bytes, empty: Memory) -> Pixels | None:
    """Return the pixels (H, W, channels) that Pillow would give, by the same library, in memory that `empty` makes.

    None where simplejpeg refuses the file: rare kinds of subsampling, and damage, which Pillow tells apart.

    Args:
        image: what Pillow says of the file, not loaded; see `serves`.
        data: the file.
        empty: makes the memory.
    """
    from simplejpeg import decode_jpeg  # noqa: PLC0415  # few runs meet so large a picture

    colours, channels = _COLOURS[image.mode]
    pixels = empty((image.height, image.width, channels))
    try:
        decode_jpeg(data, colours, fastdct=False, fastupsample=False, buffer=pixels, strict=False)
    except ValueError:
        return None
    return pixels
