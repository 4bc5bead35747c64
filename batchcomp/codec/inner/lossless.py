"""Lossless files, for graphics that the networks do not serve well."""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import reduce
from typing import Any, Final

import numpy as np
from PIL import Image

from batchcomp.errors import PayloadError, PictureError
from batchcomp.images.load import decode_picture
from batchcomp.images.outputs import options, output_format
from batchcomp.images.picture import Picture, Pixels
from batchcomp.images.pillow_warnings import ignore_pillow_warnings

FLAT = 0.3  # share of pixels that equal their left neighbour from which a picture counts as a graphic
SAMPLE = 4_000_000  # pixels that are looked at, about
LARGE = 1_000_000  # pixels from which on tiles are tried first
TILE, TILES, FAR = 128, 4, 4  # pixels a side, tiles along each side, and how far from `most` is beyond hope
# The same for the whole of a smaller one, and bytes beyond that: of 664 cuts of graphics none had a smallest file of
# less than 1 / 4.4 of a usual PNG's bytes without so many, and those of a blank page are hundreds.
FAR_OF_SMALL, EASY = 5, 4096
_LOSSLESS: Final[dict[str, dict[str, Any]]] = {
    "webp": {"lossless": True, "quality": 80, "method": 4},
    "png": {"optimize": True},
}
_NAME: Final = "entry.png"  # stands in messages for a name, which they begin with


class Lossless:
    """Reads what `lossless` writes."""

    def read(self, data: bytes, size: tuple[int, int]) -> Picture:
        """See `Reader`."""
        try:
            picture = decode_picture(data, _NAME)
        except PictureError as error:
            raise PayloadError(str(error).removeprefix(f"{_NAME}: ")) from error
        if (picture.width, picture.height) != size:
            found = f"{picture.width}x{picture.height}"
            raise PayloadError(f"the entry is {found}, the manifest says otherwise; use an intact copy")
        return picture


def is_graphic(pixels: Pixels) -> bool:
    """Whether a picture (H, W, C) is so flat, as screenshots and line art are, that lossless files may be small."""
    if pixels.shape[1] < 2:
        return True
    rows = pixels[:: max(1, pixels.shape[0] * pixels.shape[1] // SAMPLE)]
    same = rows[:, 1:] == rows[:, :-1]
    equal = reduce(np.logical_and, (same[..., channel] for channel in range(same.shape[2])))  # numpy's `all` is slow
    return bool(np.mean(equal) >= FLAT)


def lossless(picture: Picture, most: int) -> tuple[str, bytes] | None:
    """The smallest lossless file of at most `most` bytes, as (format, content).

    Only one that gives back pixels and metadata exactly counts: WebP has no greyscale and no density, for example.
    """
    if _is_hopeless(picture.pixels, most):
        return None
    files = [(len(data), name, data) for name, data in _files(picture) if len(data) <= most]
    for _, name, data in sorted(files):
        if _is_exact(data, picture):
            return name, data
    return None


def _is_hopeless(pixels: Pixels, most: int) -> bool:
    """Whether a usual PNG, of tiles spread over a large picture, says that no lossless file comes near `most` bytes.

    Smooth photos can look flat, and trying all that makes a file small takes seconds for each megapixel.
    """
    height, width = pixels.shape[:2]
    if height * width < LARGE or min(height, width) < TILE:
        return bool(_png_bytes(pixels) > FAR_OF_SMALL * most + EASY)
    tops, lefts = (np.linspace(0, side - TILE, TILES).astype(int) for side in (height, width))
    tiles = [pixels[top : top + TILE, left : left + TILE] for top in tops for left in lefts]
    sample = np.concatenate(tiles)
    share = len(sample) * TILE / (height * width)
    return bool(_png_bytes(sample) > FAR * most * share)


def _png_bytes(pixels: Pixels) -> int:
    """The bytes of a PNG of the usual effort."""
    buffer = io.BytesIO()
    Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels).save(buffer, "PNG")
    return buffer.tell()


def _files(picture: Picture) -> Iterator[tuple[str, bytes]]:
    image = Image.fromarray(picture.pixels[:, :, 0] if picture.mode == "L" else picture.pixels)
    for name, own in _LOSSLESS.items():
        unfit = picture.mode == "L" or max(picture.width, picture.height) > output_format("webp").max_side
        if picture.metadata.alpha or (name == "webp" and unfit):
            continue
        buffer = io.BytesIO()
        try:
            with ignore_pillow_warnings():
                image.save(buffer, name, **(options(name, picture.metadata) | own))
        except (OSError, ValueError):
            continue
        yield name, buffer.getvalue()


def _is_exact(data: bytes, picture: Picture) -> bool:
    try:
        again = decode_picture(data, "")
    except PictureError:
        return False
    return np.array_equal(again.pixels, picture.pixels) and again.metadata == picture.metadata
