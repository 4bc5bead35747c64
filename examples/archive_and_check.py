"""Use batchcomp from Python: archive a folder, look at what was measured, restore what is worst.

    python examples/archive_and_check.py PHOTOS ARCHIVE OUT

`compress` and `decode` do what the commands of these names do; `Archive` reads single pictures.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image

import batchcomp
import batchcomp.pillow  # from here on Pillow opens payloads as the pictures they restore to


def main(photos: Path, folder: Path, out: Path) -> None:
    """Archive `photos` in `folder`; below `out` write all pictures, and the worst once more by itself."""
    outcome = batchcomp.compress([photos], folder, quality=40)
    for failure in outcome.failures:
        say(f"not stored: {failure.reason}")

    with batchcomp.Archive.open(folder) as archive:
        measured = [picture for picture in archive if picture.row.ms_ssim is not None]
        for picture in measured:
            row = picture.row
            say(f"{row.path}: {row.source_bytes} -> {row.payload_bytes} bytes, MS-SSIM {row.ms_ssim:.4f}")
        if measured:
            worst = min(measured, key=lambda picture: picture.row.ms_ssim)
            pixels = worst.pixels()  # a NumPy array of shape (height, width, channels)
            say(f"worst: {worst.row.path}, {pixels.shape}, mean brightness {pixels.mean():.0f}")
            write_worst(worst.payload(), pixels, out)

    restored = batchcomp.decode(folder, out / "all")
    say(f"restored: {restored.counts['done']} pictures")


def write_worst(payload: bytes, pixels: np.ndarray, out: Path) -> None:
    """Write a payload as a file: any viewer shows it at half size, Pillow with batchcomp at full size."""
    out.mkdir(parents=True, exist_ok=True)
    path = out / "worst.jpg"
    path.write_bytes(payload)
    with Image.open(path) as image:
        say(f"Pillow opens its payload as {image.width} x {image.height} pixels, equal: {same(image, pixels)}")


def same(image: Image.Image, pixels: np.ndarray) -> bool:
    """Whether Pillow gives the same picture."""
    return np.array_equal(np.asarray(image).reshape(pixels.shape), pixels)


def say(text: str) -> None:
    """Print a line."""
    sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:4]))
