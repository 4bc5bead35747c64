"""Use batchcomp from Python: archive a folder, read the measurements, restore one picture.

`python examples/archive_and_check.py PHOTOS ARCHIVE`
"""

from __future__ import annotations

import sys
from pathlib import Path

from batchcomp.archive import Archive
from batchcomp.codec.codec import Codec
from batchcomp.pipeline.compress import compress_archive
from batchcomp.pipeline.records import tally
from batchcomp.settings import CompressSettings


def main(photos: Path, folder: Path) -> None:
    """Compress, then list what each picture came to, then restore the first."""
    outcome = tally(compress_archive(CompressSettings(paths=(photos,), archive=folder, quality=40)))
    for failure in outcome.failures:
        sys.stderr.write(f"{failure.reason}\n")
    archive = Archive.open(folder)
    rows = [row for row in archive.rows() if row.stored == "compact"]
    for row in rows:
        sys.stdout.write(f"{row.path}: {row.payload_bytes} bytes, MS-SSIM {row.ms_ssim}\n")
    if rows:
        picture = Codec.open(device="cpu").restore(archive.read(rows[0]))
        sys.stdout.write(f"restored {rows[0].path}: {picture.pixels.shape}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
