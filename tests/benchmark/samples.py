"""Tiny pictures and a fake codec."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

from batchcomp.benchmark.curves import Point
from batchcomp.images.picture import Picture, Pixels


def photo(height: int = 168, width: int = 176, seed: int = 0) -> Pixels:
    """Return waves and texture, uint8 (H, W, 3), which every codec can trade for bytes."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:height, :width]
    waves = [np.sin(rows / rng.uniform(3, 30)) * np.cos(columns / rng.uniform(3, 30)) for _ in range(3)]
    return np.clip(128 + 80 * np.stack(waves, 2) + rng.normal(0, 10, (height, width, 1)), 0, 255).astype(np.uint8)


def save_photos(folder: Path, count: int = 2) -> list[Path]:
    paths = [folder / f"photo{i}.png" for i in range(count)]
    for i, path in enumerate(paths):
        Image.fromarray(photo(seed=i)).save(path)
    return paths


class HalfJpeg:
    """Half-size JPEG, blown up again: stands in for the codec. The size travels in front."""

    def compress(self, picture: Picture, quality: int) -> bytes:
        small = Image.fromarray(picture.pixels).resize(((picture.width + 1) // 2, (picture.height + 1) // 2))
        buffer = io.BytesIO()
        small.save(buffer, "JPEG", quality=quality, subsampling=0)
        return picture.width.to_bytes(4) + picture.height.to_bytes(4) + buffer.getvalue()

    def restore(self, data: bytes) -> Picture:
        size = int.from_bytes(data[:4]), int.from_bytes(data[4:8])
        with Image.open(io.BytesIO(data[8:])) as image:
            return Picture(pixels=np.asarray(image.resize(size)))


def point(
    bpp: float,
    ms_ssim: float,
    *,
    rival: str = "a",
    picture: str = "p",
    quality: float = 1,
    ssimulacra2: float = 50,
) -> Point:
    return Point(
        picture=picture,
        rival=rival,
        quality=quality,
        size=round(bpp * 1000),
        bpp=bpp,
        ms_ssim=ms_ssim,
        psnr=30,
        ssimulacra2=ssimulacra2,
        ciede2000=1,
        encode_seconds=1,
        decode_seconds=1,
    )


def curve(scale: float = 1, *, rival: str = "a", picture: str = "p", gain: float = 0) -> list[Point]:
    """Return a plausible curve, its rates times `scale`, its MS-SSIM plus `gain`."""
    shape = [(0.1, 0.85), (0.2, 0.91), (0.4, 0.95), (0.8, 0.975), (1.6, 0.99)]
    return [
        point(bpp * scale, value + gain, rival=rival, picture=picture, quality=i)
        for i, (bpp, value) in enumerate(shape)
    ]
