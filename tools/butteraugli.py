"""Hold models against AVIF and JPEG by Butteraugli, a metric that no network here has ever learned from: real bytes.

    python tools/butteraugli.py [--model NAME ...] [--packed] [--jobs 2] [--program butteraugli_main] PICTURE ...

`butteraugli_main` is libjxl's (Debian: libjxl-devtools). What counts is its 3-norm, smaller is better: 3 is a picture
with visible damage, 1 one that is hard to tell from the original. Prints the change of bytes at equal 3-norm between
two such values, the mean over the pictures whose curves meet in a third of the range, their number where it is not all.
"""

from __future__ import annotations

import argparse
import math
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from batchcomp.benchmark.curves import load_rgb
from batchcomp.benchmark.eye import rate_change
from batchcomp.benchmark.rivals import make_rivals
from batchcomp.benchmark.rivals.base import Rival
from batchcomp.benchmark.rivals.ours import Ours, OursPacked
from batchcomp.codec.codec import Codec
from batchcomp.images.picture import Pixels
from batchcomp.metrics.rate import bits_per_pixel

QUALITIES = (15, 30, 45, 60, 72, 82, 89, 90, 95, 100)
RIVALS = ("avif", "jpeg")
RANGES = ((3.0, 1.5), (1.5, 0.8))  # of the 3-norm
_NORM = re.compile(r"3-norm: ([0-9.]+)")

Curves = dict[str, list[tuple[float, float]]]  # (bits per pixel, 3-norm) by codec


def three_norm(program: str, original: Path, decoded: Pixels) -> float:
    """Return Butteraugli's 3-norm of a decoded picture against a PNG file.

    Raises:
        RuntimeError: the program says something else.
    """
    with tempfile.NamedTemporaryFile(suffix=".png") as file:
        Image.fromarray(decoded).save(file, "PNG", compress_level=1)
        file.flush()
        done = subprocess.run([program, original, file.name], capture_output=True, text=True, check=False)  # noqa: S603
    found = _NORM.search(done.stdout)
    if found is None:
        raise RuntimeError(f"{program}: {done.stderr or done.stdout}")
    return float(found[1])


def codecs(models: Sequence[str], *, packed: bool) -> list[Rival]:
    """Return ours, each named by its model, and the rivals."""
    ours: list[Rival] = []
    for model in models:
        codec = Codec.open(Path(model), device="cpu", threads=1)
        ours.append(Ours(codec, model, QUALITIES))
        if packed:
            ours.append(OursPacked(codec, f"{model}, packed", qualities=QUALITIES))
    return [*ours, *make_rivals(RIVALS)]


def curves_of(picture: Path, models: Sequence[str], *, packed: bool, program: str) -> Curves:
    """Measure all codecs on one picture."""
    torch.set_num_threads(1)
    rgb = load_rgb(picture)
    found: Curves = {}
    with tempfile.NamedTemporaryFile(suffix=".png") as file:
        Image.fromarray(rgb).save(file, "PNG", compress_level=1)
        file.flush()
        for codec in codecs(models, packed=packed):
            points = [(quality, codec.encode(rgb, quality)) for quality in codec.qualities]
            found[codec.name] = [
                (bits_per_pixel(len(data), *rgb.shape[:2]), three_norm(program, Path(file.name), codec.decode(data)))
                for _, data in points
            ]
    return found


def changes(every: Sequence[Curves], name: str, anchor: str, worst: float, best: float) -> list[float]:
    """Change of bytes in percent at equal 3-norm between two of its values, by picture; those that have one."""
    rows = [
        [np.array([(bpp, -math.log(norm)) for bpp, norm in found[one]]) for one in (anchor, name)] for found in every
    ]
    each = [rate_change(*pair, -math.log(worst), -math.log(best)) for pair in rows]
    return [one for one in each if not math.isnan(one)]


def table(every: Sequence[Curves]) -> str:
    """Return a table in Markdown."""
    columns = [(anchor, *ends) for anchor in RIVALS for ends in RANGES]
    titles = [f"{anchor}, {worst:g} to {best:g}" for anchor, worst, best in columns]
    lines = ["| codec | " + " | ".join(titles) + " |", "|---" * (len(titles) + 1) + "|"]
    for name in every[0]:
        cells = []
        for anchor, worst, best in columns:
            found = changes(every, name, anchor, worst, best)
            text = f"{np.mean(found):+.1f} %" if found else "none"
            cells.append(text if len(found) == len(every) else f"{text} ({len(found)})")
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pictures", nargs="+", type=Path, metavar="PICTURE")
    parser.add_argument("--model", action="append", default=[])
    parser.add_argument("--packed", action="store_true")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--program", default="butteraugli_main")
    given = parser.parse_args()
    measure = partial(curves_of, models=given.model or ["default"], packed=given.packed, program=given.program)
    with ProcessPoolExecutor(given.jobs) as pool:
        every = list(pool.map(measure, given.pictures))
    sys.stdout.write(table(every) + "\n")


if __name__ == "__main__":
    main()
