"""MozJPEG with trellis quantisation: what JPEG can do at best in an encoder that people use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import pyvips

from batchcomp.benchmark.rivals.base import MOZJPEG, open_with_pillow
from batchcomp.errors import UsageError
from batchcomp.images.picture import Pixels


@dataclass(frozen=True)
class MozJpegRival:
    """MozJPEG through libvips: trellis, optimised scans, progressive, table 2 (tuned for MS-SSIM), 4:2:0.

    Quality 1 to 100. The wheels of pyvips bundle MozJPEG; a libvips of the system may have another libjpeg, which takes
    the same options and ignores them.
    """

    threads: int = 1
    name: str = MOZJPEG
    qualities: Sequence[float] = (5, 8, 12, 16, 22, 30, 40, 50, 60, 70, 79, 86, 91, 95, 97)

    def encode(self, rgb: Pixels, quality: float) -> bytes:
        if not _there():
            raise UsageError("mozjpeg: this libvips has another libjpeg: run pip install 'pyvips[binary]'")
        return _save(rgb, int(quality), quant_table=2)

    def decode(self, data: bytes) -> Pixels:
        return open_with_pillow(data)


def _save(rgb: Pixels, quality: int, *, quant_table: int) -> bytes:
    height, width = rgb.shape[:2]
    image = pyvips.Image.new_from_memory(rgb.tobytes(), width, height, 3, "uchar").copy(interpretation="srgb")
    data = image.jpegsave_buffer(
        Q=quality,
        interlace=True,
        optimize_coding=True,
        optimize_scans=True,
        trellis_quant=True,
        overshoot_deringing=True,
        quant_table=quant_table,
        subsample_mode="on",
        keep="none",
    )
    return bytes(data)


@cache
def _there() -> bool:
    """Tell whether the encoder is MozJPEG: any other one has one table."""
    ramp = np.arange(64 * 64 * 3, dtype=np.uint32).reshape(64, 64, 3).astype(np.uint8)
    return _save(ramp, 50, quant_table=0) != _save(ramp, 50, quant_table=2)
