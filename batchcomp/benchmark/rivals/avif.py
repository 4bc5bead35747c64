"""AVIF."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from batchcomp.benchmark.rivals.base import open_with_pillow, save_with_pillow
from batchcomp.images.picture import Pixels


@dataclass(frozen=True)
class AvifRival:
    """Pillow's libavif, 4:2:0, at a speed from 0 (slowest) to 10. Quality 0 to 100."""

    threads: int = 1
    speed: int = 6
    name: str = "avif"
    qualities: Sequence[float] = (15, 22, 30, 38, 46, 54, 62, 70, 78, 85, 90, 94)

    def encode(self, rgb: Pixels, quality: float) -> bytes:
        return save_with_pillow(rgb, "AVIF", quality=int(quality), speed=self.speed, max_threads=self.threads)

    def decode(self, data: bytes) -> Pixels:
        return open_with_pillow(data)
