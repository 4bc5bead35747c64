"""The alpha channel: kept without loss as a greyscale PNG in `Metadata`, since the networks must not change it."""

from __future__ import annotations

import io
import struct
import zlib

from PIL import Image, PngImagePlugin

from batchcomp.errors import PictureError
from batchcomp.images.pillow_warnings import ignore_pillow_warnings

_LEVEL = 6  # of zlib; alpha is mostly flat, so that a higher one gains next to nothing


def split(image: Image.Image) -> tuple[Image.Image, bytes]:
    """Return the colours (RGB or L) of an RGBA or LA picture, and its alpha channel as a PNG; others have b""."""
    if image.mode not in {"RGBA", "LA"}:
        return image, b""
    *colours, alpha = image.split()
    file = io.BytesIO()
    alpha.save(file, "PNG", compress_level=_LEVEL)
    return Image.merge(image.mode[:-1], colours), file.getvalue()


def channel(data: bytes, size: tuple[int, int]) -> Image.Image:
    """Return the alpha channel in `data` as a picture of mode L.

    Args:
        data: what `split` made.
        size: (width, height) that it must have; checked before it is decoded.

    Raises:
        PictureError: it is damaged or of another size.
    """
    try:
        with ignore_pillow_warnings(), PngImagePlugin.PngImageFile(io.BytesIO(data)) as image:
            if image.size != size or image.mode != "L":
                raise PictureError(f"the alpha channel is {image.mode} of {image.size}, not {size}; use an intact copy")
            image.load()
            return image.copy()
    except (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error, KeyError, IndexError) as error:
        raise PictureError("the alpha channel is damaged; use an intact copy") from error
