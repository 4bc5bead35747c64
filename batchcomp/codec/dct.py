"""From pixels to DCT coefficients in quantisation steps, and those that a payload stores.

Colour (JFIF's YCbCr) and DCT are products with matrices whose entries are multiples of 2**-13: every partial sum is
then a whole multiple of that below 2**11, which float32 holds exactly. So coefficients do not depend on the machine,
its threads, or the order in which it adds.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from batchcomp.codec.rdoq import Scaled, quantise
from batchcomp.images.picture import Pixels

Coefficients = NDArray[np.int16]  # (planes, rows, columns, 8, 8) of blocks, rows of rising vertical frequency

_GRID: Final = 2.0**13
# JFIF 1.02 (ITU-T T.871), section 7: full-range BT.601
RGB_TO_YCC: Final = ((0.299, 0.587, 0.114), (-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312))
YCC_TO_RGB: Final = ((1.0, 0.0, 1.402), (1.0, -0.344136, -0.714136), (1.0, 1.772, 0.0))
_COLOURS: Final = (np.rint(np.array(RGB_TO_YCC) * _GRID) / _GRID).astype(np.float32)
_BAND_BLOCKS: Final = 1 << 13  # quantised at once, with statistics of their own: bounds memory
ZIGZAG: Final = np.argsort(
    [(u + v) * 16 + (u if (u + v) % 2 else v) for u in range(8) for v in range(8)], kind="stable"
)  # ZIGZAG[k] = 8 u + v of the k-th coefficient


@lru_cache(maxsize=1)
def matrix() -> Scaled:
    """The orthonormal 8x8 DCT-II of flattened blocks, (64, 64), rows in zigzag order, on the grid of 2**-13."""
    k, n = np.meshgrid(np.arange(8.0), np.arange(8.0), indexing="ij")
    basis = np.cos((2 * n + 1) * k * np.pi / 16) * np.sqrt(2 / 8)
    basis[0] /= np.sqrt(2)
    rounded: Scaled = (np.rint(np.kron(basis, basis) * _GRID) / _GRID).astype(np.float32)[ZIGZAG]
    return rounded


def planes_of(pixels: Pixels) -> Scaled:
    """YCbCr planes (3, H, W), whole numbers around 0, of uint8 RGB (H, W, 3); (1, H, W) of grey (H, W, 1)."""
    height, width, count = pixels.shape
    flat = pixels.reshape(-1, count).astype(np.float32).T
    mixed: Scaled = np.rint(_COLOURS @ flat) if count > 1 else flat
    mixed[0] -= 128
    return mixed.reshape(count, height, width)


def scaled(pixels: Pixels, tables: NDArray[np.int64]) -> Scaled:
    """Coefficients before rounding, in quantisation steps: (planes, blocks, 64), zigzag.

    Args:
        pixels: uint8 (H, W, 3) or (H, W, 1); beyond its edge the last row and column repeat.
        tables: luma and chroma (2, 8, 8), 1..255; luma alone is enough for grey.
    """
    height, width = pixels.shape[:2]
    padded = np.pad(planes_of(pixels), ((0, 0), (0, -height % 8), (0, -width % 8)), mode="edge")
    count, rows, columns = padded.shape
    blocks = padded.reshape(count, rows // 8, 8, columns // 8, 8).transpose(0, 1, 3, 2, 4)
    answer: Scaled = blocks.reshape(count, -1, 64) @ matrix().T
    for plane in range(count):
        answer[plane] /= tables[min(plane, 1)].reshape(64)[ZIGZAG].astype(np.float32)
    return answer


def bands(rows: int, columns: int, blocks: int | None = None) -> Iterator[slice]:
    """Rows of blocks that are handled at once: so many blocks, or as many as are quantised together."""
    height = max(1, (blocks or _BAND_BLOCKS) // columns)
    yield from (slice(top, min(rows, top + height)) for top in range(0, rows, height))


def coefficients(pixels: Pixels, tables: NDArray[np.int64]) -> Coefficients:
    """Coefficients of a 4:4:4 or grey payload, quantised by `rdoq`; for the arguments see `scaled`."""
    height, width, count = pixels.shape
    rows, columns = -(-height // 8), -(-width // 8)
    answer = np.empty((count, rows, columns, 8, 8), np.int16)
    for band, found in zip(bands(rows, columns), bands_of_coefficients(pixels, tables), strict=True):
        answer[:, band] = found
    return answer


def in_bands(found: Coefficients) -> Iterator[Coefficients]:
    """Cut coefficients into rows of blocks that are coded at once."""
    return (found[:, band] for band in bands(*found.shape[1:3]))


def bands_of_coefficients(pixels: Pixels, tables: NDArray[np.int64]) -> Iterator[Coefficients]:
    """The same, some rows of blocks at a time: all of them take twice the picture's memory."""
    height, width, count = pixels.shape
    rows, columns = -(-height // 8), -(-width // 8)
    for band in bands(rows, columns):
        found = scaled(pixels[band.start * 8 : band.stop * 8], tables)
        answer = np.empty((count, band.stop - band.start, columns, 64), np.int16)
        for plane in range(count):
            answer[plane][..., ZIGZAG] = quantise(found[plane]).reshape(-1, columns, 64)
        yield answer.reshape(*answer.shape[:3], 8, 8)
