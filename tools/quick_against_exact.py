"""How far `--measure quick` is from `--measure exact`, and whether it ever lets a picture lose to JPEG.

    python tools/quick_against_exact.py found.jsonl PHOTO... [--model fast] [--side 1200 [--squares 3]]
    python tools/quick_against_exact.py found.jsonl

Each photo is compressed at five qualities and measured both ways; with `--side` a square of so many pixels out of its
middle, or several along its diagonal. A line of JSON for each goes to `found.jsonl` at once, and what is there already
is not measured again, so that a run can be stopped at any time. Then, and without photos, a summary of all lines is
printed.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from batchcomp.codec import weights
from batchcomp.codec.codec import Codec
from batchcomp.codec.quick_jpeg import places
from batchcomp.images.load import load
from batchcomp.images.picture import Picture
from batchcomp.metrics.ms_ssim import ms_ssim_db
from batchcomp.pipeline.alternatives import beats
from batchcomp.pipeline.measure import measure
from batchcomp.settings import EXACT, QUICK

QUALITIES = 20, 40, 55, 70, 85


def square(picture: Picture, side: int, number: int, count: int) -> Picture:
    """Square `number` of `count` along the diagonal, of at most `side` pixels; all of it for 0; without metadata."""
    height, width = picture.pixels.shape[:2]
    top, left = (max(0, length - (side or length)) * (number + 1) // (count + 1) for length in (height, width))
    pixels = picture.pixels[top : top + (side or height), left : left + (side or width)]
    return Picture(pixels=np.ascontiguousarray(pixels))


def compared(picture: Picture, codec: Codec, quality: int) -> dict[str, Any]:
    """Both measurements of one payload, and what each says of who is better."""
    data = codec.compress(picture, quality)
    restored = codec.restore(data)
    started = time.process_time()
    quick = measure(picture, restored, len(data), QUICK)
    between = time.process_time()
    exact = measure(picture, restored, len(data), EXACT)
    seconds = between - started, time.process_time() - between
    found: dict[str, Any] = {"ours_db": ms_ssim_db(exact.ms_ssim), "bytes": len(data), "seconds": seconds}
    if quick.jpeg is None or exact.jpeg is None:
        raise ValueError("a side is beyond JPEG's limit")
    found |= {"quick_db": ms_ssim_db(quick.jpeg.ms_ssim), "exact_db": ms_ssim_db(exact.jpeg.ms_ssim)}
    found |= {"quick_bytes": quick.jpeg.bytes_at_ms_ssim, "exact_bytes": exact.jpeg.bytes_at_ms_ssim}
    found |= {"within_db": quick.jpeg.within_db, "squares": bool(places(picture.height, picture.width))}
    won, claimed = (beats(one, one.jpeg, len(data)) for one in (exact, quick))
    return found | {"claimed": claimed, "lost": claimed and not won}


def measured(out: Path, photos: list[Path], model: str, side: int, squares: int) -> None:
    """Append what is not there yet."""
    codec = Codec(weights.load_shipped(model), threads=1)
    done = {(line["photo"], line["quality"]) for line in lines(out)}
    for photo, number in product(photos, range(squares)):
        name = f"{photo.name} {number}" if squares > 1 else photo.name
        if all((name, quality) in done for quality in QUALITIES):
            continue
        picture = square(load(photo), side, number, squares)
        for quality in QUALITIES:
            if (name, quality) not in done:
                head = {"photo": name, "quality": quality, "megapixels": picture.width * picture.height / 1e6}
                with out.open("a") as file:
                    file.write(json.dumps(head | compared(picture, codec, quality)) + "\n")


def lines(out: Path) -> Iterator[dict[str, Any]]:
    """What was measured so far."""
    if out.exists():
        yield from map(json.loads, out.read_text().splitlines())


def summary(found: list[dict[str, Any]]) -> str:
    """A line for pictures that were measured whole, one for those that were measured by squares."""
    rows = [
        "| pictures | cases | dB off: mean, most | of the bound at most | bytes off: mean, most | seconds/MP | lost |"
    ]
    rows.append("| --- | --- | --- | --- | --- | --- | --- |")
    for squares in (False, True):
        cases = [one for one in found if one["squares"] == squares]
        if not cases:
            continue
        off = np.array([abs(one["quick_db"] - one["exact_db"]) for one in cases])
        within = np.array([one["within_db"] for one in cases])
        share = max(off[within > 0] / within[within > 0], default=0)
        sizes = [(one["quick_bytes"], one["exact_bytes"]) for one in cases]
        ratios = np.array([abs(quick / exact - 1) for quick, exact in sizes if quick and exact])
        area = sum(one["megapixels"] for one in cases)
        seconds = [sum(one["seconds"][way] for one in cases) / area for way in range(2)]
        photos = len({one["photo"] for one in cases})
        figures = [f"{off.mean():.3f}, {off.max():.2f}", f"{share:.2f}", f"{ratios.mean():.2%}, {ratios.max():.1%}"]
        figures += [f"{seconds[0]:.2f}, {seconds[1]:.2f}", str(sum(one["lost"] for one in cases))]
        name = f"{photos}, by squares" if squares else f"{photos}, whole"
        rows.append(f"| {' | '.join([name, str(len(cases)), *figures])} |")
    return "\n".join(rows)


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("photos", type=Path, nargs="*")
    parser.add_argument("--model", default="fast")
    parser.add_argument("--side", type=int, default=0)
    parser.add_argument("--squares", type=int, default=1)
    asked = parser.parse_args()
    measured(asked.out, asked.photos, asked.model, asked.side, asked.squares)
    sys.stdout.write(summary(list(lines(asked.out))) + "\n")


if __name__ == "__main__":
    main()
