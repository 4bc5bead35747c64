"""How much memory a picture will take, from its header alone, so that a run knows how many to hold at once.

It decides nothing else, so a wrong answer does no harm.
"""

from __future__ import annotations

from pathlib import Path

from batchcomp.images.formats import recognise
from batchcomp.images.header_sizes import BAD, HEAD_BYTES


def estimate_bytes(path: Path) -> int:
    """Return the bytes that the pixels of a picture would take, from its header alone; 0 where that cannot be read."""
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
            entry = recognise(head)
            width, height = entry.size(head, file) if entry else (0, 0)
            return width * height * 3
    except BAD:  # loading will say what is wrong
        return 0
