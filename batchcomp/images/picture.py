"""The one type every room shares: a picture in memory."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class Metadata:
    """What travels beside the pixels, byte for byte as the source carried it; empty means absent."""

    exif: bytes = b""  # TIFF structure, without the "Exif\0\0" prefix
    icc: bytes = b""  # ICC profile
    xmp: bytes = b""  # XMP packet, without the APP1 namespace prefix
    dpi: tuple[int, int] | None = None  # pixels per inch, horizontal and vertical


@dataclass(frozen=True, kw_only=True)
class Picture:
    """Pixels as stored in the file (EXIF orientation not applied).

    `pixels` is uint8 of shape (H, W, 3) for RGB or (H, W, 1) for greyscale, H and W >= 1.
    """

    pixels: Pixels
    metadata: Metadata = field(default_factory=Metadata)

    @property
    def height(self) -> int:
        return int(self.pixels.shape[0])

    @property
    def width(self) -> int:
        return int(self.pixels.shape[1])

    @property
    def mode(self) -> str:
        """Pillow's name of the pixel layout: "RGB" or "L"."""
        return "L" if self.pixels.shape[2] == 1 else "RGB"
