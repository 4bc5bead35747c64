"""JPEG, the anchor of all comparisons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from batchcomp.benchmark.rivals.base import ANCHOR, open_with_pillow
from batchcomp.codec import plain_jpeg
from batchcomp.images.picture import Pixels


@dataclass(frozen=True)
class JpegRival:
    """Pillow's libjpeg-turbo: optimised Huffman codes, progressive, 4:2:0. Quality 1 to 100."""

    threads: int = 1
    name: str = ANCHOR
    qualities: Sequence[float] = (3, 5, 7, 10, 14, 20, 28, 38, 50, 62, 74, 82, 88, 92, 95)

    def encode(self, rgb: Pixels, quality: float) -> bytes:
        return plain_jpeg.encode(rgb, int(quality))

    def decode(self, data: bytes) -> Pixels:
        return open_with_pillow(data)
