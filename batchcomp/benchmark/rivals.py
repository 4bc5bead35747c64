"""Rival codecs behind one Protocol. A new rival is one small class here and one line in `RIVALS`."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import imagecodecs
import numpy as np
from PIL import Image

from batchcomp.codec import pack, plain_jpeg
from batchcomp.codec.codec import Codec
from batchcomp.errors import UsageError
from batchcomp.images.picture import Picture, Pixels

OURS, PACKED = "batchcomp", "batchcomp --pack"
ANCHOR = "jpeg"


class Rival(Protocol):
    """A codec at a dial: `qualities` in order of rising bytes, at least four of them for a BD-rate."""

    @property
    def name(self) -> str: ...

    @property
    def qualities(self) -> Sequence[float]: ...

    def encode(self, rgb: Pixels, quality: float) -> bytes:
        """Return a whole file for uint8 (H, W, 3)."""
        ...

    def decode(self, data: bytes) -> Pixels:
        """Return uint8 (H, W, 3) of the encoded shape."""
        ...


class OurCodec(Protocol):
    """What the benchmark needs of `batchcomp.codec.Codec`."""

    def compress(self, picture: Picture, quality: int, /) -> bytes: ...

    def restore(self, data: bytes, /) -> Picture: ...


@dataclass(frozen=True)
class Ours:
    """Batchcomp itself: payloads as the archive stores them, the EXIF and ICC apart."""

    codec: OurCodec
    name: str = OURS
    qualities: Sequence[float] = (1, 5, 12, 20, 30, 40, 50, 60, 70, 80, 90, 95, 97, 98, 99, 100)

    def encode(self, rgb: Pixels, quality: float) -> bytes:
        return self.codec.compress(Picture(pixels=rgb), int(quality))

    def decode(self, data: bytes) -> Pixels:
        return self.codec.restore(data).pixels


SPARSE_QUALITIES = (1, 12, 30, 50, 70, 85, 95, 97.9)  # for what takes a minute a picture


@dataclass(frozen=True)
class OursPacked:
    """Batchcomp with `--pack`: the same pictures in fewer bytes. What cannot be packed counts as it is."""

    codec: Codec
    name: str = PACKED
    effort: int = 0
    qualities: Sequence[float] = (1, 8, 20, 35, 50, 65, 80, 90, 97, 98, 100)

    def encode(self, rgb: Pixels, quality: float) -> bytes:
        compact = self.codec.compact([Picture(pixels=rgb)], quality, effort=self.effort)[0]
        data = self.codec.encode(compact)
        return pack.pack(data, compact.coefficients, compact.tables) or data

    def decode(self, data: bytes) -> Pixels:
        return self.codec.restore(data).pixels


@dataclass(frozen=True)
class Jpeg:
    """Pillow's libjpeg-turbo: optimised Huffman codes, progressive, 4:2:0. Quality 1 to 100."""

    threads: int = 1
    name: str = ANCHOR
    qualities: Sequence[float] = (3, 5, 7, 10, 14, 20, 28, 38, 50, 62, 74, 82, 88, 92, 95)

    def encode(self, rgb: Pixels, quality: float) -> bytes:
        return plain_jpeg.encode(rgb, int(quality))

    def decode(self, data: bytes) -> Pixels:
        return _open(data)


@dataclass(frozen=True)
class Webp:
    """Pillow's libwebp, lossy, method 6 (slowest). Quality 0 to 100."""

    threads: int = 1
    name: str = "webp"
    qualities: Sequence[float] = (1, 5, 10, 20, 30, 42, 55, 68, 78, 85, 90, 95)

    def encode(self, rgb: Pixels, quality: float) -> bytes:
        return _save(rgb, "WEBP", quality=int(quality), method=6)

    def decode(self, data: bytes) -> Pixels:
        return _open(data)


@dataclass(frozen=True)
class Avif:
    """Pillow's libavif, speed 6, 4:2:0. Quality 0 to 100."""

    threads: int = 1
    name: str = "avif"
    qualities: Sequence[float] = (15, 22, 30, 38, 46, 54, 62, 70, 78, 85, 90, 94)

    def encode(self, rgb: Pixels, quality: float) -> bytes:
        return _save(rgb, "AVIF", quality=int(quality), speed=6, max_threads=self.threads)

    def decode(self, data: bytes) -> Pixels:
        return _open(data)


@dataclass(frozen=True)
class JpegXl:
    """libjxl through imagecodecs, lossy, effort 7. The quality is the Butteraugli distance, 0.1 (fine) to 25."""

    threads: int = 1
    name: str = "jpegxl"
    qualities: Sequence[float] = (15, 12, 9.5, 7.5, 6, 4.5, 3.4, 2.5, 1.8, 1.3, 0.9, 0.6)

    def encode(self, rgb: Pixels, quality: float) -> bytes:
        return bytes(
            imagecodecs.jpegxl_encode(rgb, lossless=False, distance=quality, effort=7, numthreads=self.threads)
        )

    def decode(self, data: bytes) -> Pixels:
        pixels: Pixels = imagecodecs.jpegxl_decode(data, numthreads=self.threads)
        return pixels


RIVALS: dict[str, Callable[[int], Rival]] = {
    "jpeg": Jpeg,
    "webp": Webp,
    "avif": Avif,
    "jpegxl": JpegXl,
}


def make_rivals(names: Iterable[str] = tuple(RIVALS), *, threads: int = 1) -> list[Rival]:
    """Return the rivals of these names, each of which may use that many threads where its library can.

    Raises:
        UsageError: A name is unknown.
    """
    names = list(names)
    unknown = [name for name in names if name not in RIVALS]
    if unknown:
        raise UsageError(f"rival {unknown[0]!r}: expected one of {', '.join(RIVALS)}")
    return [RIVALS[name](threads) for name in names]


def _save(rgb: Pixels, kind: str, **options: bool | int | str) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, kind, **options)
    return buffer.getvalue()


def _open(data: bytes) -> Pixels:
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB"))
