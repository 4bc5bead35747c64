"""Make the second test set of the benchmarks: 24 PNGs of camera photos and of examples/photos.

    python tools/second_set.py FULL_SIZE_PHOTOS OUT

Of each full-size photo the whole, shrunk to 768 px, and two parts of 768 x 512 px at half size, one from the middle and
one from the lower left; and the colour pictures of `examples/photos`. Shrinking hides the JPEG artefacts of the
photos, so that what is measured is the codec.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from PIL import Image, ImageOps

SIDE, PART = 768, (768, 512)


def shrunk(photo: Image.Image) -> Image.Image:
    """The whole photo, its long side at most `SIDE`."""
    factor = min(1.0, SIDE / max(photo.size))
    return photo.resize([round(side * factor) for side in photo.size], Image.Resampling.LANCZOS)


def parts(photo: Image.Image) -> dict[str, Image.Image]:
    """Two parts of the photo at half its size."""
    half = photo.resize((photo.width // 2, photo.height // 2), Image.Resampling.LANCZOS)
    width, height = PART
    corners = {
        "centre": ((half.width - width) // 2, (half.height - height) // 2),
        "low": (half.width // 8, half.height - height - half.height // 8),
    }
    return {name: half.crop((left, top, left + width, top + height)) for name, (left, top) in corners.items()}


def make(photos: Path, out: Path) -> None:
    """Write the set into `out`."""
    out.mkdir(parents=True, exist_ok=True)
    for path in sorted(photos.iterdir()):
        with Image.open(path) as opened:
            photo = ImageOps.exif_transpose(opened).convert("RGB")
        for name, picture in {"whole": shrunk(photo), **parts(photo)}.items():
            picture.save(out / f"{path.stem}-{name}.png")
    for path in sorted((Path(__file__).parents[1] / "examples" / "photos").iterdir()):
        if path.suffix in {".png", ".jpg"}:
            with Image.open(path) as picture:
                if picture.mode == "RGB":
                    picture.save(out / f"{path.stem}.png")


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    make(options.photos, options.out)


if __name__ == "__main__":
    main()
