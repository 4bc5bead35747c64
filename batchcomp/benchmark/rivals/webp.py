"""WebP."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from batchcomp.benchmark.rivals.base import open_with_pillow, save_with_pillow
from batchcomp.images.picture import Pixels


@dataclass(frozen=True)
class WebpRival:
    """Pillow's libwebp, lossy, at a method up to 6 (slowest). Quality 0 to 100."""

    threads: int = 1
    method: int = 6
    name: str = "webp"
    qualities: Sequence[float] = (1, 5, 10, 20, 30, 42, 55, 68, 78, 85, 90, 95)

    def encode(self, rgb: Pixels, quality: float) -> bytes:
        return save_with_pillow(rgb, "WEBP", quality=int(quality), method=self.method)

    def decode(self, data: bytes) -> Pixels:
        return open_with_pillow(data)
