"""Holes of zeros in the picture data of a JPEG file, as a failing disk or a broken download leaves them.

Zeros are Huffman codes too, so a decoder goes on through them. What they stand for follows from the tables: where the
code of zeros ends a block, a long run is a flat area, and sound. Where it stands for one more coefficient, whole
blocks would be full of the same value, which no encoder ever writes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

HOLE: Final = 32  # zero bytes; at most 8 were found in sound scans of such tables
_RUN: Final = re.compile(rb"\0{%d,}" % HOLE)
_AC: Final = 0x10  # class of the tables of AC coefficients
_WIDE: Final = 32  # coefficients; a block of few is soon full, as those of a ramp are
_BITS: Final = 16  # the longest code


def tables(content: bytes) -> Iterator[tuple[int, int]]:
    """Yield (class and destination, symbol whose code is all zeros) of the tables in a DHT segment (T.81, B.2.4.2)."""
    at = 0
    while at + 1 + _BITS < len(content):
        count = sum(content[at + 1 : at + 1 + _BITS])
        if count and at + 1 + _BITS < len(content):
            yield content[at], content[at + 1 + _BITS]
        at += 1 + _BITS + count


def tells_holes(scan: bytes, zeros: dict[int, int]) -> bool:
    """Tell whether no long run of zeros can be in a sound scan.

    Args:
        scan: the content of its header, SOS (T.81, B.2.3).
        zeros: the symbols of `tables` as they hold for this scan.
    """
    count = scan[0]
    first, last, approximation = (*scan[1 + 2 * count : 4 + 2 * count], 0, 0, 0)[:3]
    symbols = [zeros.get(_AC | table & 15, 0) for table in scan[2 : 2 + 2 * count : 2]]
    refines = approximation >> 4 > 0  # then most bits are of coefficients that are there already, zeros in a flat area
    return last - first >= _WIDE and not refines and any(symbol & 15 for symbol in symbols)


def holes(data: bytes, start: int, end: int) -> Iterator[int]:
    """Yield where long runs of zeros between two offsets end."""
    return (found.end() for found in _RUN.finditer(data, start, end))
