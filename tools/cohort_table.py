"""Put a cohort table into a document: `python tools/cohort_table.py COHORTS.json DOC.md`.

The JSON is what `batchcomp bench cohorts ... --json COHORTS.json` wrote. The table goes between the lines
`<!-- cohorts -->` and `<!-- /cohorts -->` and replaces what stands there.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

MARKED = re.compile(r"(<!-- cohorts -->\n).*?(<!-- /cohorts -->)", re.DOTALL)


def main(found: Path, document: Path) -> None:
    """Rewrite the document's table.

    Raises:
        ValueError: it has no place for one.
    """
    text = document.read_text(encoding="utf-8")
    if not MARKED.search(text):
        raise ValueError(f"{document}: no lines <!-- cohorts --> and <!-- /cohorts -->; add them")
    table = markdown(json.loads(found.read_text(encoding="utf-8")))
    document.write_text(MARKED.sub(lambda match: match[1] + table + match[2], text), encoding="utf-8")


def markdown(found: dict[str, Any]) -> str:
    """The means and the gaps as two tables."""
    codecs = found["codecs"]
    means = [
        [
            row["cohort"],
            row["group"],
            str(row["pictures"]),
            *(places(row["ms_ssim"][name]) for name in codecs),
            f"{row['wins']} of {row['pictures']}",
        ]
        for row in found["rows"]
    ]
    gaps = [
        [f"{gap['over']} - {gap['under']}", gap["codec"], f"{gap['ms_ssim']:+.4f}", f"{gap['gain']:+.4f}"]
        for gap in found["gaps"]
    ]
    first = f"Mean MS-SSIM at {found['rate']:g} bits per pixel, the same bytes for all:\n\n"
    second = "\nHow much better a cohort is than another; JPEG's own gap is what the pictures differ by:\n\n"
    headings = ["cohort", "group", "pictures", *codecs, f"{codecs[0]} above {codecs[-1]}"]
    return first + lines(headings, means) + second + lines(["cohorts", "codec", "MS-SSIM", "gain over bicubic"], gaps)


def places(value: float) -> str:
    """Four places without the zero before the point, as tables of this project have it."""
    return f"{value:.4f}".removeprefix("0")


def lines(headings: list[str], rows: list[list[str]]) -> str:
    """A table in markdown."""
    cells = [headings, ["---"] * len(headings), *rows]
    return "".join(f"| {' | '.join(row)} |\n" for row in cells)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
