"""Measure models at other phases of the metrics' grid, beside AVIF and JPEG: real bytes, one thread.

    python tools/phases.py [--packed] [--effort E] [--cache CACHE.json] --model NAME [--model ...] PICTURE ...

MS-SSIM and SSIMULACRA2 halve pictures by means of 2 x 2 pixels, again and again, beginning at the upper left corner.
Eyes have no such grid. So both are measured again of original and decoded picture less some rows and columns at the top
and on the left. A codec whose score changes with their number has errors that cancel in the means of the one grid:
networks learn such errors where training shows them nothing else. Prints the change of bytes at equal quality by phase,
and by the mean score of all phases other than the usual one.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from batchcomp.benchmark.curves import load_rgb
from batchcomp.benchmark.eye import RANGES, rate_change
from batchcomp.benchmark.kept import KeptCurves
from batchcomp.benchmark.quality import ssimulacra2
from batchcomp.benchmark.rivals import make_rivals
from batchcomp.benchmark.rivals.base import Rival
from batchcomp.benchmark.rivals.ours import Ours, OursPacked
from batchcomp.codec import weights
from batchcomp.codec.codec import Codec
from batchcomp.images.picture import Pixels
from batchcomp.metrics.ms_ssim import ms_ssim, ms_ssim_db
from batchcomp.metrics.rate import bits_per_pixel

QUALITIES = (10, 25, 40, 55, 70, 80, 89, 90, 95)
REFINED = QUALITIES[:6]  # with --effort: a minute and more a picture
RIVAL_QUALITIES = {"avif": (20, 32, 44, 56, 66, 76, 85, 92), "jpeg": (10, 25, 45, 65, 80, 90, 95, 97)}
PHASES = ((0, 0), (1, 2), (2, 3), (3, 1))  # each place of two halvings, both ways
CUT = 8  # rows and columns that are left out in all
DECIBELS = (12.5, 20.0)

Curve = NDArray[np.float64]  # (qualities, 1 + 2 phases): bits per pixel, then SSIMULACRA2 and MS-SSIM in dB by phase


def part(pixels: Pixels, phase: tuple[int, int]) -> Pixels:
    """A picture less `CUT` rows and columns, so many of them at the top and on the left."""
    (top, left), (height, width) = phase, pixels.shape[:2]
    return np.ascontiguousarray(pixels[top : height - CUT + top, left : width - CUT + left])


def point(rgb: Pixels, rival: Rival, quality: float) -> list[float]:
    """One row of a curve."""
    data = rival.encode(rgb, quality)
    decoded = rival.decode(data)
    answer = [bits_per_pixel(len(data), *rgb.shape[:2])]
    for phase in PHASES:
        one, other = part(rgb, phase), part(decoded, phase)
        answer += [ssimulacra2(one, other), ms_ssim_db(ms_ssim(other, one))]
    return answer


def curve(kept: KeptCurves, rival: Rival, key: str, picture: Path) -> Curve:
    """The curve of a codec on a picture."""
    qualities = RIVAL_QUALITIES.get(rival.name, rival.qualities)

    def measured() -> list[list[float]]:
        rgb = load_rgb(picture)
        return [point(rgb, rival, quality) for quality in qualities]

    return kept.of(f"{key} {picture.parent.name}/{picture.name} {list(qualities)}", measured)


def scores(points: Curve, metric: int, phases: Sequence[int]) -> Curve:
    """Rows of (bits per pixel, mean score) of a metric: 0 is SSIMULACRA2, 1 is MS-SSIM."""
    columns = [1 + 2 * phase + metric for phase in phases]
    return np.stack([points[:, 0], points[:, columns].mean(axis=1)], axis=1)


def change(pairs: Sequence[tuple[Curve, Curve]], metric: int, phases: Sequence[int], span: tuple[float, float]) -> str:
    """Mean change of bytes in percent over pictures, (anchor, codec) each; their number where some do not meet."""
    found = [rate_change(*(scores(one, metric, phases) for one in pair), *span) for pair in pairs]
    known = [one for one in found if not np.isnan(one)]
    if not known:
        return "none"
    return f"{np.mean(known):+.1f}" + (f" ({len(known)})" if len(known) < len(found) else "")


def row(ours: Sequence[Curve], avif: Sequence[Curve], jpeg: Sequence[Curve], phases: Sequence[int]) -> list[str]:
    """Cells of the table."""
    pairs = partial(zip, strict=True)
    cells = [change(list(pairs(avif, ours)), 0, phases, span) for span in RANGES]
    cells += [change(list(pairs(jpeg, ours)), 0, phases, span) for span in RANGES]
    return cells + [change(list(pairs(anchor, ours)), 1, phases, DECIBELS) for anchor in (avif, jpeg)]


def say(line: str) -> None:
    """Print a line at once: curves take minutes."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pictures", nargs="+", type=Path, metavar="PICTURE")
    parser.add_argument("--model", action="append", required=True, metavar="NAME")
    parser.add_argument("--packed", action="store_true", help="each model packed, too")
    parser.add_argument("--effort", type=int, metavar="E", help="each model packed and with --effort E, half size only")
    parser.add_argument("--cache", type=Path)
    given = parser.parse_args()
    torch.set_num_threads(1)
    kept = KeptCurves(given.cache)
    anchors = [
        [curve(kept, rival, rival.name, picture) for picture in given.pictures]
        for rival in make_rivals(("avif", "jpeg"))
    ]
    spans = [f"{low:g} to {high:g}" for low, high in RANGES]
    titles = [f"SSIMULACRA2 against {anchor}, {span}" for anchor in ("AVIF", "JPEG") for span in spans]
    titles += [f"MS-SSIM against {anchor}, 12.5 to 20 dB" for anchor in ("AVIF", "JPEG")]
    say("| codec | phase | " + " | ".join(titles) + " |\n|" + "---|" * (len(titles) + 2))
    for name in given.model:
        model = weights.load_file(Path(name))
        codec = Codec(model, threads=1)
        kinds: list[tuple[str, Rival]] = [(name, Ours(codec, qualities=QUALITIES))]
        kinds += [(f"{name}, packed", OursPacked(codec, qualities=QUALITIES))] if given.packed else []
        if given.effort:
            label = f"{name}, packed, effort {given.effort}"
            kinds.append((label, OursPacked(codec, effort=given.effort, qualities=REFINED)))
        for label, rival in kinds:
            key = f"{label.replace(name, '')} {' '.join(codec.hashes)}"
            ours = [curve(kept, rival, key, picture) for picture in given.pictures]
            others = list(range(1, len(PHASES)))
            for phase, indices in [*((str(PHASES[i]), [i]) for i in range(len(PHASES))), ("other than (0, 0)", others)]:
                say(f"| {label} | {phase} | " + " | ".join(row(ours, *anchors, indices)) + " |")


if __name__ == "__main__":
    main()
