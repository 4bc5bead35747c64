"""Pictures for a page: cut to what matters, turned upright, and small enough to be part of it."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image

from batchcomp.images.orientation import turned
from batchcomp.images.picture import Metadata, Pixels

DETAIL = (768, 512)  # pixels of the part that is shown, the long side and the short one
BLOCK = 4  # pixels a side of what the map tells apart
_THUMB = 132  # pixels
_LARGEST_ICC = 16_000  # bytes of a colour profile that is worth its place beside every version
_LOSSLESS: Mapping[str, object] = {"lossless": True, "quality": 25, "method": 1}
_LOSSLESS_BYTES = 1.4  # a pixel of a photo, at most mostly
_QUALITIES = (90, 80, 65)  # of WebP, the same for all versions of a picture; one better where there is room for twice
_BETTER = 96
# 1 - SSIM as (share, red, green, blue, alpha): transparent where pictures are alike, then yellow, red and violet.
_COLOURS = ((0.0, 255, 210, 60, 0), (0.15, 255, 200, 40, 90), (0.5, 235, 60, 30, 190), (1.0, 130, 10, 110, 235))


@dataclass(frozen=True, kw_only=True)
class Box:
    """A part of a picture in pixels."""

    left: int
    top: int
    width: int
    height: int

    @property
    def right(self) -> int:
        return self.left + self.width

    @property
    def bottom(self) -> int:
        return self.top + self.height


def worst_box(unlike: NDArray[np.float32], width: int, height: int, *, detail: tuple[int, int] = DETAIL) -> Box:
    """Return the part to show: where the sum of what is unlike is largest, all where the picture is small.

    Args:
        unlike: 1 - SSIM of blocks of `BLOCK` pixels, see `metrics.ssim_map`; all zero for the middle.
        width: of the picture, in pixels.
        height: likewise.
        detail: of the part, the long side and the short one, in pixels.
    """
    wide, high = _part_size(width, height, detail)
    rows, columns = -(-high // BLOCK), -(-wide // BLOCK)
    total = np.pad(np.maximum(unlike, 0).astype(np.float64), ((1, 0), (1, 0))).cumsum(0).cumsum(1)
    sums = total[rows:, columns:] - total[:-rows, columns:] - total[rows:, :-columns] + total[:-rows, :-columns]
    flat = int(sums.argmax()) if sums.max() > 0 else sums.size // 2 + sums.shape[1] // 2 * (sums.shape[0] % 2 == 0)
    top, left = divmod(flat, sums.shape[1])
    top, left = min(top, (height - high) // BLOCK), min(left, (width - wide) // BLOCK)
    return Box(left=left * BLOCK, top=top * BLOCK, width=wide, height=high)


def _part_size(width: int, height: int, detail: tuple[int, int]) -> tuple[int, int]:
    """Return width and height of the part to show: as many pixels of a narrow strip as of other pictures."""
    wide, high = detail if width >= height else detail[::-1]
    pixels = wide * high
    wide, high = min(width, wide), min(height, high)
    return min(width, 2 * detail[0], pixels // high), min(height, 2 * detail[0], pixels // wide)


def cut(pixels: Pixels, box: Box, *, of: tuple[int, int]) -> Pixels:
    """Return a part of a picture, which may be smaller than the one that the box is of.

    Args:
        pixels: uint8 (h, w, 3 or 1).
        box: the part.
        of: width and height of the picture that the box is of.
    """
    height, width = pixels.shape[:2]
    across, down = width / of[0], height / of[1]
    left, top = math.floor(box.left * across), math.floor(box.top * down)
    right, bottom = math.ceil(box.right * across), math.ceil(box.bottom * down)
    return np.ascontiguousarray(pixels[top : max(bottom, top + 1), left : max(right, left + 1)])


def orientation_of(metadata: Metadata) -> int:
    """Return EXIF's orientation, 1 to 8; 1 where there is none or it makes no sense."""
    exif = Image.Exif()
    try:
        exif.load(b"Exif\0\0" + metadata.exif) if metadata.exif else None
        value = exif.get(ExifTags.Base.Orientation, 1)
    except Exception:  # noqa: BLE001 - whatever Pillow makes of damaged EXIF, the picture is shown as it is
        return 1
    return value if value in range(1, 9) else 1


def upright_box(box: Box, size: tuple[int, int], orientation: int) -> Box:
    """Return where a part lies in the picture as it is to be seen; `size` is width and height as stored."""
    corners = [(box.left, box.top), (box.right, box.bottom)]
    turned = [_turned(x, y, *size, orientation) for x, y in corners]
    xs, ys = sorted(x for x, _ in turned), sorted(y for _, y in turned)
    return Box(left=xs[0], top=ys[0], width=xs[1] - xs[0], height=ys[1] - ys[0])


def _turned(x: int, y: int, width: int, height: int, orientation: int) -> tuple[int, int]:
    """Return where a corner comes to lie."""
    return {
        2: (width - x, y),
        3: (width - x, height - y),
        4: (x, height - y),
        5: (y, x),
        6: (height - y, x),
        7: (height - y, width - x),
        8: (y, width - x),
    }.get(orientation, (x, y))


def to_image(pixels: Pixels) -> Image.Image:
    """Return uint8 (h, w, 3 or 1) as Pillow's picture."""
    return Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)


def encoded_within(images: Mapping[str, Image.Image], budget: int, icc: bytes = b"") -> tuple[dict[str, str], int]:
    """Write the versions of a picture alike, as well as `budget` bytes allow.

    Returns:
        A data: URI for each, and the WebP quality that they were written with, 100 for lossless.
    """
    room = budget * 3 // 4  # base64 takes the rest

    def written(settings: Mapping[str, object]) -> tuple[dict[str, bytes], int]:
        files = {name: _webp(image, settings, icc) for name, image in images.items()}
        return files, sum(map(len, files.values()))

    def answer(files: Mapping[str, bytes], quality: int) -> tuple[dict[str, str], int]:
        return {name: _uri("webp", data) for name, data in files.items()}, quality

    if sum(image.width * image.height for image in images.values()) * _LOSSLESS_BYTES <= room:
        files, size = written(_LOSSLESS)
        if size <= room:
            return answer(files, 100)
    for quality in _QUALITIES:
        files, size = written(_lossy(quality))
        if size <= room:
            break
    if quality == _QUALITIES[0] and 2 * size <= room:
        return answer(written(_lossy(_BETTER))[0], _BETTER)
    return answer(files, quality)


def _lossy(quality: int) -> Mapping[str, object]:
    return {"quality": quality, "method": 2}


def thumbnail(pixels: Pixels, orientation: int, icc: bytes = b"", side: int = _THUMB) -> str:
    """Return the whole picture, small, as a data: URI."""
    image = turned(to_image(pixels), orientation)
    image.thumbnail((side, side), Image.Resampling.BOX, reducing_gap=2)
    return _uri("webp", _webp(image, _lossy(78), icc))


def heat(unlike: NDArray[np.float32], orientation: int) -> str:
    """Return 1 - SSIM of blocks as a picture with transparency; what is 0.5 or more looks the same."""
    shares = np.clip(unlike * 2, 0, 1)
    stops = np.array(_COLOURS)
    channels = [np.interp(shares, stops[:, 0], stops[:, n]) for n in range(1, 5)]
    image = Image.fromarray(np.stack(channels, -1).round().astype(np.uint8))
    return _uri("webp", _webp(turned(image, orientation), _lossy(70), b""))


def _webp(image: Image.Image, settings: Mapping[str, object], icc: bytes) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", **settings, icc_profile=icc if len(icc) <= _LARGEST_ICC else b"")
    return buffer.getvalue()


def _uri(kind: str, data: bytes) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
