"""Holes of zeros in the picture data of HEIC, AVIF and WebP files, as a failing disk or a broken download leaves them.

Decoders of these formats go on through zeros and say nothing. A HEVC slice never holds three zero bytes in a row
(ITU-T H.265, 7.4.2); the range coder of AV1 wrote at most 13, in a lossless alpha channel. The coders of WebP write
some for flat areas (the lossy one at most 21 in photos, 122 in a page of text; the lossless one thousands), so that
there a run only gives rise to doubt. A hole that is shorter mostly changes where the bitstream ends (webp_data.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from batchcomp.images.isobmff import read_items
from batchcomp.images.riff import chunks

HOLE: Final = 64  # zero bytes
DOUBTFUL: Final = {b"VP8 ": 32, b"VP8L": 512}  # in WebP
_CODED: Final = frozenset({b"hvc1", b"av01"})
_RUN: Final = re.compile(rb"\0{%d,}" % HOLE)
_LONG_RUNS: Final = {kind: re.compile(rb"\0{%d,}" % size) for kind, size in DOUBTFUL.items()}


def items_have_holes(data: bytes) -> bool:
    """Tell whether the coded pictures of a HEIC or AVIF file have holes; False where its items cannot be read."""
    try:
        found = read_items(data)
    except ValueError:
        return False
    coded = {item.number for item in found.items if item.kind in _CODED}
    return any(
        _RUN.search(data, extent.offset, extent.offset + (extent.size or len(data)))
        for extent in found.extents
        if extent.item in coded and extent.method == 0
    )


def webp_hole(data: bytes) -> Iterator[str]:
    """Yield what is doubtful in the bitstream of a still WebP (RFC 9649)."""
    for kind, start, end in chunks(data):
        if kind in _LONG_RUNS and (run := _LONG_RUNS[kind].search(data, start, end)):
            yield f"{len(run[0]):,} zero bytes in a row in its picture data: damaged, or very flat"
