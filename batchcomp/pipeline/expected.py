"""How large restored files will be, told from the rows alone, before any is made."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from batchcomp.archive.rows import Row
from batchcomp.kinds import KINDS, LOSSLESS
from batchcomp.outputs import DEFAULT_OUTPUT
from batchcomp.pipeline.records import Expected
from batchcomp.pipeline.targets import format_of

# ln(bits a pixel of the file) = a + b * ln(bits a pixel of the payload), fitted to 36 photos at three qualities.
_LINES: Final = {
    "png": (2.64, 0.17),
    "jpeg": (1.41, 0.32),
    "webp": (1.01, 0.43),
    "avif": (1.24, 0.36),
    "jxl": (1.1, 0.54),
}
_FULL_SIZE: Final = 0.5  # bits a pixel of a full-size payload, for each of a half-size one of like detail


def expected_bytes(row: Row, format_name: str) -> int:
    """Return about how many bytes a picture takes when it is restored as `format_name`, one of `outputs.FORMATS`.

    Three of four photos of WebP, four of five of JPEG, AVIF and JPEG XL and nearly all of PNG are within a third of it;
    sums are within a few percent.
    """
    pixels = row.width * row.height
    kind = KINDS.get(row.stored)
    if not pixels or kind is None or not kind.reader:
        return row.payload_bytes
    form = format_of(row, format_name)
    if row.stored in LOSSLESS and form == DEFAULT_OUTPUT:
        return row.payload_bytes
    image_bytes = max(1, (row.unpacked_bytes or row.payload_bytes) - row.metadata_bytes)
    detail = 8 * image_bytes / pixels * (1 if row.scale == 2 else _FULL_SIZE)
    offset, slope = _LINES[form]
    bits = min(24.0, math.exp(offset + slope * math.log(detail)))
    return round(bits * pixels / 8) + row.metadata_bytes


def expect(rows: Iterable[Row], format_name: str, out: Path) -> Expected:
    """Sum up what restoring the rows below `out` comes to."""
    sizes = [expected_bytes(row, format_name) for row in rows]
    return Expected(pictures=len(sizes), bytes=sum(sizes), free_bytes=free_bytes(out))


def free_bytes(folder: Path) -> int | None:
    """Return how much room the disk of a folder has, which need not be there yet; None where that cannot be told."""
    for place in _up(folder):
        try:
            return shutil.disk_usage(place).free
        except OSError:
            continue
    return None


def _up(folder: Path) -> Iterator[Path]:
    yield folder
    yield from folder.absolute().parents
