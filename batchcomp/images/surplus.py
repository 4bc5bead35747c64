"""Bytes inside the part of a PNG that holds its pixels, behind the last of them: no decoder looks at these."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import Final

from batchcomp.images.png_chunks import png_chunks

_CHANNELS: Final = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by PNG's colour type
_PASSES: Final = (  # of Adam7: first column and row, steps (PNG 3, 8.1)
    (0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2),
)  # fmt: skip
_STEP: Final = 2**20
REASON: Final = "bytes after the last pixel, where no decoder looks"  # of any format


def png_surplus(data: bytes) -> bool:
    """Tell whether a sound PNG has more in its IDAT chunks than its pixels, or anything in IEND.

    Raises:
        ValueError: its pixels cannot be unpacked.
    """
    chunks = [(kind, content) for kind, content, _ in png_chunks(data)]
    if any(kind == b"IEND" and content for kind, content in chunks):
        return True
    wanted, unpacker, count = _png_bytes(chunks[0][1]), zlib.decompressobj(), 0
    for content in (content for kind, content in chunks if kind == b"IDAT"):
        if unpacker.eof and content:
            return True
        count += sum(map(len, _unpacked(unpacker, content)))
        if count > wanted:
            return True
    return bool(unpacker.unused_data)


def _unpacked(unpacker: zlib._Decompress, content: bytes) -> Iterator[bytes]:
    """Yield what is in a chunk, a little at a time."""
    try:
        while content and not unpacker.eof:
            yield unpacker.decompress(content, _STEP)
            content = unpacker.unconsumed_tail
    except zlib.error as error:
        raise ValueError("its pixels cannot be unpacked") from error


def _png_bytes(header: bytes) -> int:
    """Return what the pixels take before they are packed, with the filter's number in front of each row."""
    width, height, depth, colour, _, _, interlaced = struct.unpack(">II5B", header)
    passes = _PASSES if interlaced else ((0, 0, 1, 1),)
    sides = [(-(-(width - left) // wide), -(-(height - top) // high)) for left, top, wide, high in passes]
    return sum(
        rows * (1 + -(-columns * depth * _CHANNELS[colour] // 8)) for columns, rows in sides if columns > 0 < rows
    )
