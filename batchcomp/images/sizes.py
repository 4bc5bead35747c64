"""How much memory a picture will take, from its header alone, so that a run knows how many to hold at once.

It decides nothing else, so a wrong answer does no harm.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from batchcomp.images.formats import foreign, recognise
from batchcomp.images.header_sizes import BAD, HEAD_BYTES
from batchcomp.images.raw import RAW

_RAW_FACTOR: Final = 3  # bytes of pixels for each byte of a raw file, which mostly has about one a pixel


def estimate_bytes(path: Path) -> int:
    """Return the bytes that the pixels of a picture would take, from its header alone; 0 where that cannot be read."""
    if foreign(path.name) == RAW:  # what begins like a TIFF begins with its thumbnail
        try:
            return _RAW_FACTOR * path.stat().st_size
        except OSError:
            return 0
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
            entry = recognise(head)
            width, height = entry.size(head, file) if entry else (0, 0)
            return width * height * 3
    except BAD:  # loading will say what is wrong
        return 0
