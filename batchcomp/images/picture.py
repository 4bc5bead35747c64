"""A picture in memory: pixels and metadata."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]


def _nothing(_rows: int) -> None:
    """Keep the memory: that of arrays cannot be given back in part."""


@dataclass(frozen=True, kw_only=True)
class Metadata:
    """What a picture carries beside its pixels, byte for byte as in the source; empty means absent.

    The alpha channel is here, not among the pixels: the networks see colours only, and alpha is kept without loss.
    """

    exif: bytes = b""  # TIFF structure, without the "Exif\0\0" prefix
    icc: bytes = b""  # ICC profile
    xmp: bytes = b""  # XMP packet, without the APP1 namespace prefix
    dpi: tuple[int, int] | None = None  # pixels per inch, horizontal and vertical
    segments: tuple[tuple[int, bytes], ...] = ()  # (marker, content) of further JPEG segments: IPTC, comments, ...
    chunks: tuple[tuple[bytes, bytes], ...] = ()  # (type, content) of PNG chunks: texts, time stamp, ...
    trailer: bytes = b""  # what a JPEG file has after its picture
    alpha: bytes = b""  # a greyscale PNG of the picture's size

    @property
    def size(self) -> int:
        """Bytes of all metadata; alpha is no metadata."""
        further = [content for _, content in (*self.segments, *self.chunks)]
        return sum(map(len, (self.exif, self.icc, self.xmp, self.trailer, *further)))


@dataclass(frozen=True, kw_only=True)
class Picture:
    """Pixels as stored in the file (EXIF orientation not applied).

    `pixels` is uint8 of shape (H, W, 3) for RGB or (H, W, 1) for greyscale, H and W >= 1. `give_back` gives memory of
    so many first rows, which nobody reads again, back to the system, where that can be done.
    """

    pixels: Pixels
    metadata: Metadata = field(default_factory=Metadata)
    give_back: Callable[[int], None] = field(default=_nothing, compare=False, repr=False)

    @property
    def height(self) -> int:
        return int(self.pixels.shape[0])

    @property
    def width(self) -> int:
        return int(self.pixels.shape[1])

    @property
    def mode(self) -> str:
        """Pillow's name of the layout of `pixels`: "RGB" or "L"."""
        return "L" if self.pixels.shape[2] == 1 else "RGB"

    @property
    def full_mode(self) -> str:
        """Pillow's name of the layout with the alpha channel: "RGB", "RGBA", "L" or "LA"."""
        return self.mode + "A" * bool(self.metadata.alpha)
