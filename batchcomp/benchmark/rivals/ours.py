"""batchcomp itself, measured as its rivals are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from batchcomp.codec import pack
from batchcomp.codec.codec import Codec
from batchcomp.images.picture import Picture, Pixels
from batchcomp.report.trade import OURS, PACKED

SPARSE_QUALITIES = (1, 12, 30, 45, 60, 70, 80, 89.9)  # for what takes a minute a picture


class OurCodec(Protocol):
    """What the benchmark needs of `batchcomp.codec.Codec`."""

    def compress(self, picture: Picture, quality: int, /) -> bytes: ...

    def restore(self, data: bytes, /) -> Picture: ...


@dataclass(frozen=True)
class Ours:
    """Payloads as the archive stores them, without EXIF and ICC."""

    codec: OurCodec
    name: str = OURS
    qualities: Sequence[float] = (1, 5, 12, 20, 30, 40, 50, 60, 70, 75, 80, 85, 89, 90, 92, 94, 96, 98, 100)

    def encode(self, rgb: Pixels, quality: float) -> bytes:
        return self.codec.compress(Picture(pixels=rgb), int(quality))

    def decode(self, data: bytes) -> Pixels:
        return self.codec.restore(data).pixels


@dataclass(frozen=True)
class OursPacked:
    """The same pictures with `--pack`, in fewer bytes. What cannot be packed counts as it is."""

    codec: Codec
    name: str = f"{OURS} {PACKED}"
    effort: int = 0
    qualities: Sequence[float] = (1, 8, 20, 35, 50, 62, 70, 78, 84, 89, 90, 93, 96, 100)

    def encode(self, rgb: Pixels, quality: float) -> bytes:
        compact = self.codec.compact([Picture(pixels=rgb)], quality, effort=self.effort)[0]
        found = compact.coefficients  # first, or the JPEG would be coded from bands of them that are made anew
        data = self.codec.encode(compact)
        return pack.pack(data, found, compact.tables) or data

    def decode(self, data: bytes) -> Pixels:
        return self.codec.restore(data).pixels
