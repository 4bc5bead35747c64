"""JPEG XL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import imagecodecs

from batchcomp.images.picture import Pixels


@dataclass(frozen=True)
class JpegXlRival:
    """libjxl through imagecodecs, lossy, at an effort from 1 to 9 (slowest).

    The quality is the Butteraugli distance, 0.1 (fine) to 25.
    """

    threads: int = 1
    effort: int = 7
    name: str = "jpegxl"
    qualities: Sequence[float] = (15, 12, 9.5, 7.5, 6, 4.5, 3.4, 2.5, 1.8, 1.3, 0.9, 0.6)

    def encode(self, rgb: Pixels, quality: float) -> bytes:
        return bytes(
            imagecodecs.jpegxl_encode(
                rgb, lossless=False, distance=quality, effort=self.effort, numthreads=self.threads
            )
        )

    def decode(self, data: bytes) -> Pixels:
        pixels: Pixels = imagecodecs.jpegxl_decode(data, numthreads=self.threads)
        return pixels
