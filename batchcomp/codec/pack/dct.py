"""From pixels to quantised DCT coefficients exactly as libjpeg-turbo gets them ("islow"), in whole numbers.

After Loeffler, Ligtenberg and Moschytz 1989 as in libjpeg's jfdctint.c, colours as in jccolor.c (JFIF's YCbCr, 16-bit
fixed point), quantisation as in jcdctmgr.c.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from batchcomp.images.picture import Pixels

Ints = NDArray[np.int32]

BITS, PASS1 = 13, 2  # of fixed-point constants; of more precision between the passes
_HALF: Final = 1 << 15
# rows R, G, B times 65,536; the offset makes chroma centred at 128 and rounds as jccolor.c does
_COLOURS: Final = np.array([[19_595, 38_470, 7_471], [-11_059, -21_709, 32_768], [32_768, -27_439, -5_329]], np.int32)
_OFFSETS: Final = np.array([_HALF, (128 << 16) + _HALF - 1, (128 << 16) + _HALF - 1], np.int32)


def planes_of(pixels: Pixels) -> Ints:
    """YCbCr planes (3, H, W) in 0..255 of uint8 RGB (H, W, 3), or the one plane (1, H, W) of grey (H, W, 1)."""
    if pixels.shape[2] == 1:
        return pixels.transpose(2, 0, 1).astype(np.int32)
    mixed = np.einsum("hwc,pc->phw", pixels.astype(np.int32), _COLOURS)
    planes: Ints = (mixed + _OFFSETS[:, None, None]) >> 16
    return planes


def coefficients(pixels: Pixels, tables: NDArray[np.int64]) -> NDArray[np.int16]:
    """Quantised coefficients of a 4:4:4 or grey JPEG: (planes, ceil(H / 8), ceil(W / 8), 8, 8), rows vertical.

    Args:
        pixels: uint8 (H, W, 3) or (H, W, 1).
        tables: luma and chroma (2, 8, 8), 1..255; luma alone is enough for grey.
    """
    height, width = pixels.shape[:2]
    padded = np.pad(planes_of(pixels), ((0, 0), (0, -height % 8), (0, -width % 8)), mode="edge") - 128
    count, rows, columns = padded.shape
    blocks = padded.reshape(count, rows // 8, 8, columns // 8, 8).transpose(0, 1, 3, 2, 4)
    scaled = _fdct(blocks)
    divisors = 8 * np.stack([tables[min(plane, 1)] for plane in range(count)]).astype(np.int32)[:, None, None]
    magnitude = (np.abs(scaled) + (divisors >> 1)) // divisors
    answer: NDArray[np.int16] = (np.sign(scaled) * magnitude).astype(np.int16)
    return answer


def _fdct(blocks: Ints) -> Ints:
    """The 8x8 DCT of (..., 8, 8), scaled by 8: along rows, then along columns."""
    along = _butterfly(np.moveaxis(blocks, -1, 0), first=True)  # (8 horizontal, ..., 8 rows)
    done = _butterfly(np.moveaxis(along, -1, 0), first=False)  # (8 vertical, 8 horizontal, ...)
    return np.ascontiguousarray(np.moveaxis(done, (0, 1), (-2, -1)))


def _descale(x: Ints, by: int) -> Ints:
    return (x + (1 << (by - 1))) >> by


def _butterfly(x: Ints, *, first: bool) -> Ints:
    """One pass over axis 0, of 8; names as in jfdctint.c."""
    shift = BITS - PASS1 if first else BITS + PASS1
    t0, t1, t2, t3 = (x[i] + x[7 - i] for i in range(4))
    t7, t6, t5, t4 = (x[i] - x[7 - i] for i in range(4))
    t10, t13, t11, t12 = t0 + t3, t0 - t3, t1 + t2, t1 - t2
    even = (t12 + t13) * 4433
    z1, z2, z3, z4 = (t4 + t7) * -7373, (t5 + t6) * -20_995, t4 + t6, t5 + t7
    z5 = (z3 + z4) * 9633
    z3, z4 = z3 * -16_069 + z5, z4 * -3196 + z5
    sums = [t10 + t11, t10 - t11]
    ends = [s << PASS1 for s in sums] if first else [_descale(s, PASS1) for s in sums]
    return np.stack(
        [
            ends[0],
            _descale(t7 * 12_299 + z1 + z4, shift),
            _descale(even + t13 * 6270, shift),
            _descale(t6 * 25_172 + z2 + z3, shift),
            ends[1],
            _descale(t5 * 16_819 + z2 + z4, shift),
            _descale(even - t12 * 15_137, shift),
            _descale(t4 * 2446 + z1 + z3, shift),
        ]
    )
