"""Make the test set of docs/benchmarks/native.md: crops of full-size photos at their own resolution, as PNG.

    python tools/native_crops.py FULL_SIZE_PHOTOS OUT

Of each photo, turned upright, two squares of 512 px: its middle, and one an eighth of its sides from the lower left.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from PIL import Image, ImageOps

SIDE = 512


def crops(photo: Image.Image) -> list[Image.Image]:
    """The two squares of a photo, whose sides are longer than theirs."""
    corners = [
        ((photo.width - SIDE) // 2, (photo.height - SIDE) // 2),
        (photo.width // 8, photo.height - SIDE - photo.height // 8),
    ]
    return [photo.crop((left, top, left + SIDE, top + SIDE)) for left, top in corners]


def make(photos: Path, out: Path) -> None:
    """Write the set into `out`."""
    out.mkdir(parents=True, exist_ok=True)
    for path in sorted(photos.iterdir()):
        with Image.open(path) as opened:
            photo = ImageOps.exif_transpose(opened).convert("RGB")
        for number, crop in enumerate(crops(photo)):
            crop.save(out / f"{path.stem}_{number}.png")


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    make(options.photos, options.out)


if __name__ == "__main__":
    main()
