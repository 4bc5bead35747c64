"""Put the benchmark's tables into a document: `python tools/figure_tables.py BENCH.json DOC.md`.

The JSON is what `batchcomp bench curves ... --json BENCH.json` wrote. The tables go between the lines
`<!-- figures -->` and `<!-- /figures -->` and replace what stands there.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

MARKED = re.compile(r"(<!-- figures -->\n).*?(<!-- /figures -->)", re.DOTALL)
RATES = (0.25, 0.35, 0.5, 0.75, 1.0)
NAMES = {
    "jpegxl": "JPEG XL (effort 7)",
    "avif": "AVIF (speed 6)",
    "webp": "WebP (method 6)",
    "jpeg": "JPEG (optimised, progressive)",
    "mozjpeg": "MozJPEG (trellis)",
    "svt-av1": "SVT-AV1 (preset 6)",
    "svt-av1 preset 9": "SVT-AV1 (preset 9)",
    "avif speed 4": "AVIF (speed 4)",
    "avif speed 8": "AVIF (speed 8)",
    "avif speed 9": "AVIF (speed 9)",
    "jpegxl effort 3": "JPEG XL (effort 3)",
    "webp method 4": "WebP (method 4)",
}
GUARDS = {"ms_ssim": ".4f", "ssimulacra2": ".1f", "psnr": ".2f", "ciede2000": ".2f"}


def main(found: Path, document: Path) -> None:
    """Rewrite the document's tables.

    Raises:
        ValueError: it has no place for them.
    """
    text = document.read_text(encoding="utf-8")
    if not MARKED.search(text):
        raise ValueError(f"{document}: no lines <!-- figures --> and <!-- /figures -->; add them")
    bench = json.loads(found.read_text(encoding="utf-8"))
    tables = "\n".join([curves(bench), by_eye(bench), guards(bench)])
    document.write_text(MARKED.sub(lambda match: match[1] + tables + match[2], text), encoding="utf-8")


def curves(bench: dict[str, Any]) -> str:
    """BD-rate and mean MS-SSIM of each codec, the densest first."""
    wins = {(win["rival"], win["rate"]): win for win in bench["wins"] if win["anchor"] == "jpeg"}
    rows = []
    against_mozjpeg = {one["rival"]: one["of_mean_curve"] for one in bench["bd_rates"] if one["anchor"] == "mozjpeg"}
    against_jpeg = [one for one in bench["bd_rates"] if one["anchor"] == "jpeg"]
    for one in sorted(against_jpeg, key=lambda one: one["of_mean_curve"]):
        name = one["rival"]
        usual = [wins[name, rate]["mean_ms_ssim"] for rate in RATES if (name, rate) in wins]
        means = usual or [wins["batchcomp", rate]["anchor_mean_ms_ssim"] for rate in RATES]
        changes = [percent(one["of_mean_curve"]), percent(one["in_usual_span"])]
        changes += [percent(against_mozjpeg.get(name))] if against_mozjpeg else []
        cells = [*changes, *map(places, means)]
        shown = [f"**{cell}**" for cell in cells] if name.startswith("batchcomp") else cells
        label = f"**{name}**" if name.startswith("batchcomp") else NAMES.get(name, name)
        rows.append([label, *shown])
    rates = [f"{rate:g}".removeprefix("0") if rate < 1 else "1.0" for rate in RATES]
    headings = [
        "codec",
        "BD-rate against JPEG",
        "12.5 to 20 dB only",
        *(["against MozJPEG"] if against_mozjpeg else []),
        f"MS-SSIM at {rates[0]} bpp",
        *rates[1:],
    ]
    return lines(headings, rows)


def by_eye(bench: dict[str, Any]) -> str:
    """Bytes at equal SSIMULACRA2 against AVIF, by range of its score; against JPEG XL and JPEG in the last columns."""
    found = {(one["anchor"], one["rival"], one["low"]): one for one in bench["eye_rates"]}
    ranges = sorted({(one["low"], one["high"]) for one in bench["eye_rates"]})
    columns = [("avif", *each) for each in ranges] + [("jpegxl", *ranges[-1])] + [("jpeg", *each) for each in ranges]
    rows = []
    for name in sorted(bench["rivals"], key=lambda name: not name.startswith("batchcomp")):
        rates = [found.get((anchor, name, low)) for anchor, low, _ in columns]
        cells = ["0" if rate is None else eye_cell(rate, len(bench["pictures"])) for rate in rates]
        bold = name.startswith("batchcomp")
        label = f"**{name}**" if bold else NAMES.get(name, name)
        rows.append([label, *(f"**{cell}**" if bold else cell for cell in cells)])
    titles = [f"{NAMES[anchor].split(' (')[0]}, {low:g} to {high:g}" for anchor, low, high in columns]
    return lines(["bytes at equal SSIMULACRA2", f"against {titles[0]}", *titles[1:]], rows)


def eye_cell(rate: dict[str, Any], pictures: int) -> str:
    """A change of bytes, and of how many pictures it is the mean where that is not all."""
    if rate["mean_of_pictures"] is None:
        return "-"
    text = f"{rate['mean_of_pictures']:+.1f} %"
    return text if rate["pictures"] == pictures else f"{text} ({rate['pictures']})"


def guards(bench: dict[str, Any]) -> str:
    """The other measures at the same bytes as JPEG."""
    rows = [
        [f"{one['rate']:g}", *(cell(one, measure, form) for measure, form in GUARDS.items())]
        for one in bench["guard_summaries"]
    ]
    headings = ["at the same bytes as JPEG, bits per pixel", "MS-SSIM", "SSIMULACRA2", "PSNR, dB"]
    return lines([*headings, "CIEDE2000 (lower is better)"], rows)


def cell(one: dict[str, Any], measure: str, form: str) -> str:
    """Ours against JPEG's, and how many pictures win."""
    ours, theirs = (f"{value:{form}}".replace("0.", ".", 1 if measure == "ms_ssim" else 0) for value in one[measure])
    return f"{ours} against {theirs}, {one[f'{measure}_wins']} of {one['pictures']}"


def percent(value: float | None) -> str:
    """A change of bytes."""
    if value is None:
        return "-"
    return "0" if abs(value) < 0.005 else f"{value:+.1f} %"


def places(value: float) -> str:
    """Four places without the zero before the point."""
    return f"{value:.4f}".removeprefix("0")


def lines(headings: list[str], rows: list[list[str]]) -> str:
    """A table in markdown."""
    cells = [headings, ["---"] * len(headings), *rows]
    return "".join(f"| {' | '.join(row)} |\n" for row in cells)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
