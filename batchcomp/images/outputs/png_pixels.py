"""A PNG's pixels as IDAT chunks: filtered by numpy, deflated by ISA-L, many times as fast as zlib for as many bytes.

Measured on photos, one core: 79 to 112 MP/s for 2.23 to 2.24 bytes a pixel; Pillow at level 3 makes 10 MP/s for 2.26,
at level 1 11 for 2.29; lossless WebP 7 to 20 for a quarter less. ISA-L: https://github.com/intel/isa-l.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from batchcomp.images.picture import Pixels

_ISAL: Any = import_module("isal.isal_zlib") if find_spec("isal") else None  # not every platform has a wheel of it
# Filter types of PNG (https://www.w3.org/TR/png-3/#9Filters); Paeth costs more than it saves.
SUB, UP, AVERAGE = 1, 2, 3
_STRIP: Final = 1 << 20  # bytes of pixels at a time
_SAMPLE: Final = 48  # rows on which the filters are tried
_ISAL_LEVEL, _ZLIB_LEVEL = 1, 3

Rows = NDArray[np.uint8]  # (n, bytes of a row)


def idat_chunks(pixels: Pixels) -> Iterator[bytes]:
    """Yield the IDAT chunks of 8-bit pixels (H, W, C), top to bottom; one filter for all rows, chosen on a sample."""
    height, width, channels = pixels.shape
    middle = max(0, (height - _SAMPLE) // 2)
    filters = {kind: partial(_filtered, pixels, kind=kind) for kind in (SUB, UP, AVERAGE)}
    best = min(filters.values(), key=lambda one: len(_deflated(one, middle, min(height, middle + _SAMPLE))))
    compressor, step = _compressor(), max(1, _STRIP // (width * channels))
    for at in range(0, height, step):
        if found := compressor.compress(best(at, min(height, at + step)).data):
            yield chunk(b"IDAT", found)
    yield chunk(b"IDAT", compressor.flush())


def chunk(kind: bytes, content: bytes) -> bytes:
    """One chunk of a PNG."""
    return struct.pack(">I4s", len(content), kind) + content + struct.pack(">I", zlib.crc32(content, zlib.crc32(kind)))


def _deflated(filtered: Callable[[int, int], Rows], at: int, end: int) -> bytes:
    compressor = _compressor()
    found: bytes = compressor.compress(filtered(at, end).data) + compressor.flush()
    return found


def _compressor() -> Any:
    return _ISAL.compressobj(_ISAL_LEVEL) if _ISAL else zlib.compressobj(_ZLIB_LEVEL)


def _filtered(pixels: Pixels, at: int, end: int, kind: int) -> Rows:
    """Rows from `at` to `end`, each behind its filter type and with what the filter predicts taken away."""
    channels = pixels.shape[2]
    rows = np.ascontiguousarray(pixels[max(0, at - 1) : end]).reshape(end - max(0, at - 1), -1)
    here = rows[min(at, 1) :]
    answer = np.empty((len(here), 1 + rows.shape[1]), np.uint8)
    answer[:, 0] = kind
    target = answer[:, 1:]
    if kind == SUB:
        target[:, :channels] = here[:, :channels]
        np.subtract(here[:, channels:], here[:, :-channels], out=target[:, channels:])
        return answer
    above = rows[:-1] if at else np.concatenate([np.zeros_like(rows[:1]), rows[:-1]])
    if kind == UP:
        np.subtract(here, above, out=target)
        return answer
    both = above.astype(np.uint16)
    both[:, channels:] += here[:, :-channels]
    both >>= 1
    np.subtract(here, both.astype(np.uint8), out=target)
    return answer
