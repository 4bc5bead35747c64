"""AV1 still pictures by SVT-AV1."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av

from batchcomp.images.picture import Pixels

os.environ.setdefault("SVT_LOG", "1")  # errors only: else it tells its settings for each picture
_IQ = 3  # SVT-AV1's number for it, from version 4 on


@dataclass(frozen=True)
class SvtAv1Rival:
    """SVT-AV1 through PyAV, one key frame, 4:2:0, tuned for still pictures (iq). The quality is -crf.

    AVIF's container, some 300 bytes, is not counted.
    """

    threads: int = 1
    preset: int = 6
    name: str = "svt-av1"
    qualities: Sequence[float] = (-60, -54, -48, -42, -36, -30, -24, -18, -12)

    def encode(self, rgb: Pixels, quality: float) -> bytes:
        context = av.CodecContext.create("libsvtav1", "w")
        context.height, context.width = rgb.shape[:2]
        context.pix_fmt, context.time_base, context.framerate = "yuv420p", Fraction(1, 25), Fraction(25)
        parameters = f"lp={self.threads}:avif=1:tune={_IQ}"
        context.options = {"preset": str(self.preset), "crf": str(int(-quality)), "svtav1-params": parameters}
        frame = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format="yuv420p")
        frame.pts = 0
        return b"".join(bytes(packet) for packet in (*context.encode(frame), *context.encode(None)))

    def decode(self, data: bytes) -> Pixels:
        context: Any = av.CodecContext.create("libdav1d", "r")
        frames = [*context.decode(av.Packet(data)), *context.decode(None)]
        pixels: Pixels = frames[0].to_ndarray(format="rgb24")
        return pixels
