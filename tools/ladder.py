"""Find where full size should take over from a model of half size: what users get at qualities 89 and 90.

    python tools/ladder.py [--cache CACHE.json] --model NAME PICTURE ...

Prints, for each place where half size may end and full size may begin (network qualities, see `codec.tables.Ladder`),
how many pictures gain from 89 to 90 by SSIMULACRA2 and MS-SSIM, means over the phases of the metrics' grid
(`tools/phases.py`), how many bytes that costs, and how many more bytes the two have between scores of 78 and 90 than
whichever of them is smaller there. Never on a test set: the choice is part of the codec.
"""

from __future__ import annotations

import argparse
import runpy
import sys
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from batchcomp.benchmark.curves import load_rgb
from batchcomp.benchmark.kept import KeptCurves
from batchcomp.benchmark.rivals.ours import Ours
from batchcomp.codec import weights
from batchcomp.codec.codec import Codec
from batchcomp.codec.model import Model
from batchcomp.codec.tables import FINE_FROM, Ladder
from batchcomp.models import MODELS

HALF_ENDS = (85.0, 91.0, 96.0, 100.0, 103.0, 106.0, 109.0, 112.0, 115.0)
FULL_STARTS = (34.0, 40.0, 46.0, 50.0, 54.0, 58.0, 62.0, 66.0, 72.0, 80.0, 90.0)
SCORES = np.linspace(78, 90, 49)
MOST = 15.0  # percent of bytes that a step of quality may cost

Curve = NDArray[np.float64]  # rows of (bits per pixel, SSIMULACRA2, MS-SSIM in dB), means over the phases

phases = runpy.run_path(str(Path(__file__).with_name("phases.py")))


class Placed(Codec):
    """The codec of a model with another ladder."""

    def __init__(self, model: Model, ladder: Ladder) -> None:
        super().__init__(model, threads=1)
        self._ladder = ladder


def curve(kept: KeptCurves, model: Model, picture: Path, *, full: bool) -> Curve:
    """A picture at the last quality of half size, or at the first of full size, for every place it may be at."""
    places = FULL_STARTS if full else HALF_ENDS

    def measured() -> list[list[float]]:
        rows, rgb = [], load_rgb(picture)
        for place in places:
            ladder = Ladder(full_start=place) if full else Ladder(half_end=place)
            rows.append(phases["point"](rgb, Ours(Placed(model, ladder)), FINE_FROM if full else FINE_FROM - 1))
        return rows

    sha256 = MODELS[MODELS[model.name].fine].sha256 if full else model.sha256
    points = kept.of(f"{sha256[:12]} {full} {picture.parent.name}/{picture.name} {list(places)}", measured)
    return np.stack([points[:, 0], points[:, 1::2].mean(axis=1), points[:, 2::2].mean(axis=1)], axis=1)


def rate_at(points: Curve, scores: Curve) -> Curve:
    """Bits per pixel for each SSIMULACRA2; infinite beyond the best."""
    best = np.maximum.accumulate(points[:, 1]) + 1e-9 * np.arange(len(points))
    return np.exp(np.interp(scores, best, np.log(points[:, 0]), right=np.inf))


def excess(half: Curve, full: Curve, end: int, start: int) -> float:
    """Bytes of both together, in percent more than those of the smaller one at each score."""
    (_, last, _), (rate, first, _) = half[end], full[start]
    of_half, of_full = rate_at(half, SCORES), rate_at(full, SCORES)
    got = np.where(last >= SCORES, of_half, np.where(first <= SCORES, of_full, rate))
    known = np.isfinite(got) & np.isfinite(np.minimum(of_half, of_full)) & (full[-1, 1] >= SCORES)
    return float(np.expm1(np.log(got[known] / np.minimum(of_half, of_full)[known]).mean()) * 100)


def row(halves: list[Curve], fulls: list[Curve], end: int, start: int) -> tuple[float, str]:
    """Mean cost of the step, and the table's row."""
    before, after = (np.stack([one[at] for one in curves]) for curves, at in ((halves, end), (fulls, start)))
    bytes_more = float(((after[:, 0] / before[:, 0]).mean() - 1) * 100)
    by_eye, by_ms_ssim = ((after[:, metric] > before[:, metric]).mean() * 100 for metric in (1, 2))
    more = np.mean([excess(half, full, end, start) for half, full in zip(halves, fulls, strict=True)])
    cells = [
        f"{HALF_ENDS[end]:g}",
        f"{FULL_STARTS[start]:g}",
        f"{before[:, 1].mean():.1f}",
        f"{after[:, 1].mean():.1f}",
        f"{bytes_more:+.1f}",
        f"{by_eye:.0f}",
        f"{by_ms_ssim:.0f}",
        f"{more:.1f}",
    ]
    return bytes_more, "| " + " | ".join(cells) + " |\n"


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pictures", nargs="+", type=Path, metavar="PICTURE")
    parser.add_argument("--model", required=True, choices=[name for name, shipped in MODELS.items() if shipped.fine])
    parser.add_argument("--cache", type=Path)
    given = parser.parse_args()
    torch.set_num_threads(1)
    kept, model = KeptCurves(given.cache), weights.load_shipped(given.model)
    halves, fulls = ([curve(kept, model, picture, full=full) for picture in given.pictures] for full in (False, True))
    titles = ["half to", "full from", "SSIMULACRA2 at 89", "at 90", "bytes, %", "pictures that gain by it, %"]
    titles += ["by MS-SSIM, %", "bytes above the smaller, %"]
    sys.stdout.write("| " + " | ".join(titles) + " |\n|" + "---|" * len(titles) + "\n")
    for end in range(len(HALF_ENDS)):
        for start in range(len(FULL_STARTS)):
            cost, line = row(halves, fulls, end, start)
            if 0 <= cost <= MOST:
                sys.stdout.write(line)


if __name__ == "__main__":
    main()
