"""Measure models on held-out photos by SSIMULACRA2, beside AVIF, JPEG and JPEG XL: real bytes, one thread.

    python tools/eye.py --photos FOLDER FOLDER [--count 8] [--packed] [--curves CACHE.json] MODEL ...

A MODEL is a file or a shipped model's name. Of each folder it takes at most `count` photos of the dev split, which
training never sees. Prints, for each folder and for all, the change of bytes at equal quality: against AVIF (and JPEG
XL at the finest) in three ranges of SSIMULACRA2's score, and against JPEG from 12.5 to 20 dB of MS-SSIM; the mean over
the photos whose curves meet in at least a third of the range, and their number where it is not all. Then the mean curve
of each model. Curves that were measured before are taken from the cache.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from batchcomp.benchmark.curves import load_rgb
from batchcomp.benchmark.eye import rate_change
from batchcomp.benchmark.kept import KeptCurves
from batchcomp.benchmark.quality import ssimulacra2
from batchcomp.benchmark.rivals import make_rivals
from batchcomp.benchmark.rivals.base import Rival
from batchcomp.benchmark.rivals.ours import Ours, OursPacked
from batchcomp.codec import weights
from batchcomp.codec.codec import Codec
from batchcomp.images.picture import Pixels
from batchcomp.metrics.ms_ssim import ms_ssim, ms_ssim_db
from batchcomp.metrics.psnr import psnr
from batchcomp.metrics.rate import bits_per_pixel
from batchcomp.training.data import split_folder

QUALITIES = (10, 20, 30, 40, 50, 60, 70, 80, 90, 95)
MIN_SIDE = 256
BPP, SSIMULACRA2, MS_SSIM_DB, PSNR = range(4)  # columns of a curve
COMPARISONS = (
    ("avif", SSIMULACRA2, 30, 60),
    ("avif", SSIMULACRA2, 60, 78),
    ("avif", SSIMULACRA2, 78, 90),
    ("jpegxl", SSIMULACRA2, 78, 90),
    ("jpeg", SSIMULACRA2, 30, 78),
    ("jpeg", MS_SSIM_DB, 12.5, 20),
)
UNITS = {SSIMULACRA2: "SSIMULACRA2", MS_SSIM_DB: "dB MS-SSIM"}

Curve = NDArray[np.float64]  # (qualities, 4): bits per pixel, SSIMULACRA2, MS-SSIM in dB, PSNR in dB


@dataclass(frozen=True)
class Contender:
    """A codec, and what its curves are kept under: a model's hash, or a rival's name."""

    label: str
    key: str
    rival: Rival


def held_out(folder: Path, count: int) -> list[Path]:
    """At most `count` photos of a folder's dev split, spread evenly over it."""
    dev = split_folder(folder, crop=MIN_SIDE).dev
    return [dev[i] for i in sorted({round(i) for i in np.linspace(0, len(dev) - 1, count)})]


def contenders(models: Sequence[str], *, packed: bool) -> Iterator[Contender]:
    """The models, plain and, if wanted, packed."""
    for name in models:
        model = weights.load_file(Path(name))
        codec = Codec(model, threads=1)
        yield Contender(name, model.sha256, Ours(codec, qualities=QUALITIES))
        if packed:
            yield Contender(f"{name}, packed", f"{model.sha256} packed", OursPacked(codec, qualities=QUALITIES))


def point(rgb: Pixels, rival: Rival, quality: float) -> tuple[float, float, float, float]:
    """One row of a curve."""
    data = rival.encode(rgb, quality)
    decoded = rival.decode(data)
    bpp = bits_per_pixel(len(data), *rgb.shape[:2])
    return bpp, ssimulacra2(rgb, decoded), ms_ssim_db(ms_ssim(decoded, rgb)), psnr(decoded, rgb)


class Curves:
    """Curves by contender and photo, kept in a JSON file."""

    def __init__(self, path: Path | None) -> None:
        self._kept = KeptCurves(path)

    def of(self, contender: Contender, photo: Path) -> Curve:
        """Return a curve, measured now if it is new."""
        qualities = contender.rival.qualities

        def measured() -> list[tuple[float, ...]]:
            rgb = load_rgb(photo)
            return [point(rgb, contender.rival, quality) for quality in qualities]

        return self._kept.of(f"{contender.key} {photo.parent.name}/{photo.name} {list(qualities)}", measured)


def change(anchor: Curve, test: Curve, column: int, low: float, high: float) -> float:
    """Change in percent of the bytes at equal quality of that column; nan where the curves hardly meet there."""
    columns = [BPP, column]
    return rate_change(anchor[:, columns], test[:, columns], low, high)


def mean_of(bd_rates: Sequence[float]) -> str:
    """Mean over photos and, where some have none, their number."""
    known = [one for one in bd_rates if not math.isnan(one)]
    if not known:
        return "none"
    text = f"{np.mean(known):+.1f}"
    return text if len(known) == len(bd_rates) else f"{text} ({len(known)})"


def say(line: str) -> None:
    """Print a line at once: curves take minutes."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def report(ours: Sequence[Contender], rivals: Sequence[Contender], sets: dict[str, list[Path]], curves: Curves) -> None:
    """Print the tables."""
    by_name = {rival.label: rival for rival in rivals}
    titles = [f"{name}, {low:g}-{high:g} {UNITS[column]}" for name, column, low, high in COMPARISONS]
    for name, photos in sets.items():
        say(f"\n{name}: {len(photos)} photos, change of bytes at equal quality in %")
        say("| model | " + " | ".join(titles) + " |\n|" + "---|" * (len(titles) + 1))
        for one in ours:
            cells = [
                mean_of([change(curves.of(by_name[rival], p), curves.of(one, p), *rest) for p in photos])
                for rival, *rest in COMPARISONS
            ]
            say(f"| {one.label} | " + " | ".join(cells) + " |")
    for one in ours:
        mean = np.mean([curves.of(one, photo) for photos in sets.values() for photo in photos], axis=0)
        say(f"\n{one.label}: mean curve\n| q | bpp | SSIMULACRA2 | MS-SSIM dB | PSNR dB |\n|---|---|---|---|---|")
        for quality, row in zip(one.rival.qualities, mean, strict=False):
            say(f"| {quality} | {row[BPP]:.3f} | {row[SSIMULACRA2]:.1f} | {row[MS_SSIM_DB]:.2f} | {row[PSNR]:.2f} |")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", metavar="MODEL")
    parser.add_argument("--photos", nargs="+", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--count", type=int, default=8)
    parser.add_argument("--packed", action="store_true")
    parser.add_argument("--curves", type=Path)
    given = parser.parse_args()
    torch.set_num_threads(1)
    sets = {folder.name: held_out(folder, given.count) for folder in given.photos}
    rivals = [Contender(rival.name, rival.name, rival) for rival in make_rivals(("jpeg", "avif", "jpegxl"))]
    ours = list(contenders(given.models, packed=given.packed))
    report(ours, rivals, sets | {"all": [photo for photos in sets.values() for photo in photos]}, Curves(given.curves))


if __name__ == "__main__":
    main()
