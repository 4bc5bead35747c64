"""Compress a folder to each kind of target and check from the archive and from restored pictures that all are met.

    python tools/check_targets.py PHOTOS [--model FILE] [--pack]

Prints a line a target and, where one is missed, a line a picture. Leaves nothing behind.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from batchcomp.archive import ArchiveReader, Row
from batchcomp.codec import jpeg, plain_jpeg
from batchcomp.images.load import load
from batchcomp.images.picture import Metadata, Picture, Pixels
from batchcomp.metrics.ms_ssim import ms_ssim
from batchcomp.pipeline.alternatives import BY_MS_SSIM, OUT_OF_REACH, wanted_similarity
from batchcomp.pipeline.compress import compress_archive
from batchcomp.pipeline.decode import decode_archive
from batchcomp.pipeline.records import tally
from batchcomp.settings import CompressSettings, DecodeSettings, Target

TARGETS = [
    Target(kind="match-jpeg", value=30),
    Target(kind="match-jpeg", value=85),
    Target(kind="match-jpeg-bytes", value=30),
    Target(kind="match-jpeg-bytes", value=75),
    Target(kind="target-ms-ssim", value=0.95),
    Target(kind="target-ms-ssim", value=0.98),
    Target(kind="max-bpp", value=0.2),
    Target(kind="max-bpp", value=0.7),
    Target(kind="max-bytes", value=12_000),
]
BYTES, SIMILARITY = 0.02, 0.0005  # how far from the target a hit may be: share of bytes, MS-SSIM


def problem(row: Row, target: Target, original: Pixels, restored: Pixels) -> str:
    """What is wrong with one picture; "" where it meets its target.

    Plain JPEGs, lossless files and sources that took the place of a payload must be on the right side of the target;
    how close they come is not theirs to choose.
    """
    similarity = ms_ssim(original, restored)
    close = row.stored in {"compact", "packed", "compact-avif"}
    if target.kind in BY_MS_SSIM:
        wanted = wanted_similarity(target, Picture(pixels=original, metadata=Metadata()))
        most = wanted + SIMILARITY if close and row.quality > 1 else 1.0  # no payload is coarser than quality 1
        return "" if wanted <= similarity <= most else f"MS-SSIM {similarity:.5f}"
    if target.kind == "match-jpeg-bytes":
        rival = plain_jpeg.encode(original, int(target.value))
        size, most = row.payload_bytes - row.metadata_bytes, len(rival)
        if row.stored != "verbatim" and similarity <= ms_ssim(original, jpeg.decode(rival)[0]):
            return f"MS-SSIM {similarity:.5f} is not above JPEG's"
    else:
        pixels = row.width * row.height
        size, most = row.payload_bytes, int(target.value * (pixels / 8 if target.kind == "max-bpp" else 1))
    least = (1 - BYTES) * most if close and row.quality < 100 else 0
    return "" if least <= size <= most else f"{size:,} bytes of {most:,}"


def check(folder: Path, target: Target, model: Path | None, pack: bool) -> Iterator[str]:
    """Compress and restore the folder; yield a line for each picture that misses."""
    with tempfile.TemporaryDirectory() as scratch:
        archive, out = Path(scratch) / "a.bca", Path(scratch) / "out"
        tally(
            compress_archive(CompressSettings(paths=(folder,), archive=archive, target=target, model=model, pack=pack))
        )
        tally(decode_archive(DecodeSettings(source=archive, out=out, model=model)))
        rows = list(ArchiveReader.open(archive).rows())
        kinds: dict[str, int] = {}
        missed = 0
        for row in rows:
            kinds[row.stored] = kinds.get(row.stored, 0) + 1
            files = [out / row.path, (out / row.path).with_suffix(".png"), out / f"{row.path}.png"]
            restored = next(file for file in reversed(files) if file.exists())
            found = problem(row, target, load(folder / row.path).pixels, load(restored).pixels)
            if found and OUT_OF_REACH not in row.reason:
                missed += 1
                yield f"  {row.path} ({row.stored}, quality {row.quality}): {found}"
        unreachable = sum(OUT_OF_REACH in row.reason for row in rows)
        how = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
        yield f"{target}: {len(rows) - missed} of {len(rows)} ({how}; out of reach and said so: {unreachable})"


def main() -> int:
    """Check all targets; 1 where one is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--pack", action="store_true")
    parser.add_argument("--only", help="kinds of targets, separated by commas")
    options = parser.parse_args()
    misses = 0
    for target in TARGETS:
        if options.only and target.kind not in options.only.split(","):
            continue
        lines = list(check(options.folder, target, options.model, options.pack))
        misses += len(lines) - 1
        sys.stdout.write("\n".join([lines[-1], *lines[:-1]]) + "\n")
        sys.stdout.flush()
    return 1 if misses else 0


if __name__ == "__main__":
    raise SystemExit(main())
