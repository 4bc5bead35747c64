"""Make a large archive and its originals out of a small one, to try how pages and lists bear it.

    python tools/large_archive.py photos.bca photos large 10000 [ROWS_A_SEGMENT]

writes `large.bca` with 10,000 rows and `large`, where each original is a hard link. Figures are spread a little, so
that charts have something to show; payloads, sizes and checksums stay true. With small photos and a number of rows a
segment (1000, say) it shows how commands bear many rows: 100,000 rows of 48x32 pixels take 120 MB.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from random import Random

from batchcomp.archive import ArchiveReader, ArchiveWriter
from batchcomp.archive.rows import JpegComparison, Row

FOLDERS = 40


def spread(row: Row, path: str, random: Random) -> Row:
    """Return a row of another path with figures near those of `row`."""
    if row.ms_ssim is None or row.jpeg is None:
        return replace(row, path=path, entry="", owner_segment=0)
    shift = random.gauss(0, 0.15)
    jpeg = JpegComparison(
        quality=row.jpeg.quality,
        bytes=row.jpeg.bytes,
        ms_ssim=max(-1.0, 1 - (1 - row.jpeg.ms_ssim) * 2 ** random.gauss(0, 0.4)),
        bytes_at_ms_ssim=round((row.jpeg.bytes_at_ms_ssim or row.jpeg.bytes) * 2**shift),
    )
    ms_ssim = max(-1.0, 1 - (1 - row.ms_ssim) * 2 ** random.gauss(0, 0.4))
    return replace(row, path=path, entry="", owner_segment=0, ms_ssim=ms_ssim, jpeg=jpeg)


def make(archive: Path, photos: Path, target: Path, count: int, rows_a_segment: int = 0) -> None:
    """Write the large archive and link its originals; a segment is as large as usual unless its rows are counted."""
    random = Random(0)  # noqa: S311 - figures to look at, no secrets
    with ArchiveReader.open(archive) as opened, ArchiveWriter(target.with_suffix(".bca")) as writer:
        known = [(row, opened.read(row)) for row in opened.rows()]
        for number in range(count):
            row, payload = known[number % len(known)]
            name = row.path.replace("/", " ")
            path = f"{2000 + number % FOLDERS}/{number:05} {name}"
            original = target / path
            original.parent.mkdir(parents=True, exist_ok=True)
            original.hardlink_to(photos / row.path)
            writer.add(spread(row, path, random), payload)
            if rows_a_segment and not (number + 1) % rows_a_segment:
                writer.commit()


if __name__ == "__main__":
    make(*map(Path, sys.argv[1:4]), *map(int, sys.argv[4:6]))
