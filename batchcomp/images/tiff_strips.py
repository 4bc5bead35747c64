"""What stands in the strips and tiles of a TIFF behind their pixels (TIFF 6.0, sections 3, 9, 13 to 15 and 22).

libtiff reads of each as much as it needs, and looks neither at the rest nor at the checksum of what is deflated.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterator
from itertools import cycle, repeat
from typing import Final

from batchcomp.images import jpeg_damage, jpeg_scans
from batchcomp.images.jpeg_segments import START, picture_end
from batchcomp.images.surplus import REASON
from batchcomp.images.tiff_tags import Tag, TiffFile

_WIDTH, _LENGTH, _BITS, _COMPRESSION, _PHOTOMETRIC, _STRIPS, _SAMPLES, _ROWS, _STRIP_BYTES = (
    256, 257, 258, 259, 262, 273, 277, 278, 279,
)  # fmt: skip
_PLANAR, _TILE_WIDTH, _TILE_LENGTH, _TILES, _TILE_BYTES, _JPEG_TABLES = 284, 322, 323, 324, 325, 347
_NONE, _LZW, _JPEG, _PACKBITS, _DEFLATED = 1, 5, 7, 32_773, frozenset((8, 32_946))
_YCBCR: Final = 6
_STEP: Final = 2**20  # bytes that are inflated at a time
_EVERY_ROW: Final = 2**32 - 1
_END_OF_LZW: Final = re.compile("100000001" + "0{0,7}$")


def strip_reasons(data: bytes) -> Iterator[str]:
    """Yield that strips or tiles go on behind their pixels, or are packed so that nobody here can tell.

    Raises:
        ValueError: they are damaged.
    """
    file = TiffFile(data)
    tags = {tag.number: tag for tag in file.first()}

    def one(number: int, otherwise: int) -> int:
        return (file.values(tags[number]) or (otherwise,))[0] if number in tags else otherwise

    packing = one(_COMPRESSION, _NONE)
    if packing == _JPEG:
        yield from _jpeg_reasons(data, file, tags)
        return
    goes_on = _PACKINGS.get(packing)
    if goes_on is None or one(_PHOTOMETRIC, 0) == _YCBCR:
        yield f"pixels packed in a rare way ({packing}), of which nobody here can tell where they end"
        return
    tiled = _TILES in tags
    width = one(_TILE_WIDTH if tiled else _WIDTH, 0)
    samples = 1 if one(_PLANAR, 1) == 2 else one(_SAMPLES, 1)
    row = (width * samples * max(file.values(tags[_BITS]), default=1) + 7) // 8 if _BITS in tags else (width + 7) // 8
    if any(goes_on(piece, row * rows) for piece, rows in zip(_pieces(data, file, tags), _rows(one), strict=False)):
        yield REASON


def _rows(one: Callable[[int, int], int]) -> Iterator[int]:
    """Yield how many rows each strip or tile holds; the last strip of a plane holds what is left."""
    if tile := one(_TILE_LENGTH, 0):
        yield from repeat(tile)
    length = one(_LENGTH, 0)
    rows = min(max(one(_ROWS, _EVERY_ROW), 1), length)
    yield from cycle([rows] * (length // rows) + [length % rows] * (length % rows > 0))


def _pieces(data: bytes, file: TiffFile, tags: dict[int, Tag]) -> Iterator[bytes]:
    for where, length in ((_STRIPS, _STRIP_BYTES), (_TILES, _TILE_BYTES)):
        if where in tags and length in tags:
            for start, size in zip(file.values(tags[where]), file.values(tags[length]), strict=False):
                yield data[start : start + size].rstrip(b"\0")


def _plain(piece: bytes, most: int) -> bool:
    return len(piece) > most


def _deflated(piece: bytes, most: int) -> bool:
    unpacker, count, packed = zlib.decompressobj(), 0, piece + bytes(4)  # what was stripped may be of the checksum
    try:
        while packed and not unpacker.eof and count <= most:
            count += len(unpacker.decompress(packed, _STEP))
            packed = unpacker.unconsumed_tail
    except zlib.error as error:
        raise ValueError("its pixels cannot be unpacked") from error
    return count > most or bool(unpacker.unused_data.strip(b"\0"))


def _lzw(piece: bytes, _most: int) -> bool:
    """Tell whether a strip ends in anything but the code that ends it (section 13), of 9 to 12 bits."""
    return not _END_OF_LZW.search(f"{int.from_bytes(piece[-3:], 'big'):024b}")


def _packbits(piece: bytes, most: int) -> bool:
    at = count = 0
    while at < len(piece) and count < most:
        number = piece[at]
        at += 2 if number > 128 else 1 if number == 128 else number + 2
        count += 257 - number if number > 128 else 0 if number == 128 else number + 1
    return at < len(piece)


_PACKINGS: Final[dict[int, Callable[[bytes, int], bool]]] = {
    _NONE: _plain,
    _LZW: _lzw,
    _PACKBITS: _packbits,
    **dict.fromkeys(_DEFLATED, _deflated),
}


def _jpeg_reasons(data: bytes, file: TiffFile, tags: dict[int, Tag]) -> Iterator[str]:
    """Look at each strip or tile, which is a JPEG file without its tables (Technical Note 2)."""
    tables = tags[_JPEG_TABLES].value if _JPEG_TABLES in tags else START
    for piece in _pieces(data, file, tags):
        if not piece.startswith(START) or not tables.startswith(START):
            raise ValueError("no JPEG in its strips")
        whole = tables.removesuffix(jpeg_scans.END) + piece[len(START) :]
        if picture_end(whole) != len(whole):
            yield REASON
        seen = jpeg_damage.examine(*jpeg_scans.with_end(whole))
        if seen.damage:
            raise ValueError(seen.damage)
        if seen.surplus:
            yield REASON
