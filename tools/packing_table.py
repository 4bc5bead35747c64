"""What `--pack` saves, in a table: payloads of held-out photos as they are, packed, and recompressed by JPEG XL.

    python tools/packing_table.py [--count 24] [--model default] PHOTOS

Mean bytes of photos of the dev split, which no network learned from; all headers count.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import imagecodecs
import numpy as np
import torch

from batchcomp.benchmark.curves import load_rgb
from batchcomp.benchmark.rivals.ours import Ours, OursPacked
from batchcomp.codec.codec import Codec
from batchcomp.training.data import split_folder

QUALITIES = (10, 25, 40, 55, 70, 89, 90, 97)


def sizes(codec: Codec, photo: Path, quality: int) -> tuple[int, int, int]:
    """Bytes of a photo's payload, packed, and recompressed by JPEG XL."""
    rgb = load_rgb(photo)
    plain, packed = Ours(codec).encode(rgb, quality), OursPacked(codec).encode(rgb, quality)
    return len(plain), len(packed), len(imagecodecs.jpegxl_encode_jpeg(plain, usecontainer=False))


def table(rows: Iterable[tuple[int, Sequence[tuple[int, int, int]]]]) -> str:
    """Return a table in Markdown: a row a quality, means over photos."""
    lines = ["| quality | JPEG payload, mean bytes | packed | JPEG XL |", "|---" * 4 + "|"]
    for quality, found in rows:
        plain, packed, jxl = np.mean(found, axis=0)
        lines.append(f"| {quality} | {plain:,.0f} | {packed / plain - 1:+.1%} | {jxl / plain - 1:+.1%} |")
    return "\n".join(lines)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path, metavar="PHOTOS")
    parser.add_argument("--count", type=int, default=24)
    parser.add_argument("--model", default="default")
    given = parser.parse_args()
    torch.set_num_threads(1)
    codec = Codec.open(Path(given.model), device="cpu", threads=1)
    photos = split_folder(given.photos, crop=256).dev[: given.count]
    sys.stdout.write(table((q, [sizes(codec, photo, q) for photo in photos]) for q in QUALITIES) + "\n")


if __name__ == "__main__":
    main()
