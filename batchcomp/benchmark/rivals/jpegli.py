"""jpegli: JPEG files by the makers of JPEG XL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyjpegli

from batchcomp.benchmark.rivals.base import open_with_pillow
from batchcomp.codec import jpeg
from batchcomp.images.picture import Pixels


@dataclass(frozen=True)
class JpegliRival:
    """Google's jpegli, 4:2:0; its files are made progressive without loss, as its own tool writes them.

    Quality 1 to 100.
    """

    threads: int = 1
    name: str = "jpegli"
    qualities: Sequence[float] = (5, 10, 16, 23, 31, 40, 50, 60, 70, 79, 86, 91, 95)

    def encode(self, rgb: Pixels, quality: float) -> bytes:
        height, width = rgb.shape[:2]
        return jpeg.squeeze(bytes(pyjpegli.encode(rgb.tobytes(), width, height, int(quality))))

    def decode(self, data: bytes) -> Pixels:
        return open_with_pillow(data)
