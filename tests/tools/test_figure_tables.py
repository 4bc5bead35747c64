"""`tools/figure_tables.py`."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import pytest

TOOLS = Path(__file__).parents[2] / "tools"


def test_the_figures_go_into_a_document(tmp_path: Path) -> None:
    """Each codec has a row, the densest first; guards say who wins; what stood between the marks is gone."""
    win = {"rival": "batchcomp", "anchor": "jpeg", "mean_ms_ssim": 0.96, "anchor_mean_ms_ssim": 0.9}
    eye = {"rival": "batchcomp", "mean_of_pictures": -12.34, "pictures": 24}
    bench = {
        "pictures": [f"{number}.png" for number in range(24)],
        "rivals": ["batchcomp", "avif", "jpeg"],
        "eye_rates": [
            {**eye, "anchor": "avif", "low": 30.0, "high": 60.0},
            {**eye, "anchor": "avif", "low": 60.0, "high": 78.0, "pictures": 20},
            {**eye, "anchor": "jpegxl", "low": 60.0, "high": 78.0, "mean_of_pictures": None},
            {**eye, "anchor": "avif", "low": 30.0, "high": 60.0, "rival": "jpeg", "mean_of_pictures": 55.0},
        ],
        "bd_rates": [
            {"rival": "jpeg", "anchor": "jpeg", "of_mean_curve": 0.0, "in_usual_span": 0.0},
            {"rival": "batchcomp", "anchor": "jpeg", "of_mean_curve": -55.04, "in_usual_span": None},
        ],
        "wins": [{**win, "rate": rate} for rate in (0.25, 0.35, 0.5, 0.75, 1.0)],
        "guard_summaries": [
            {
                "rate": 0.5,
                "pictures": 24,
                **{f"{measure}_wins": 23 for measure in ("ms_ssim", "ssimulacra2", "psnr", "ciede2000")},
                "ssimulacra2": [30.25, 28.0],
                "psnr": [30.25, 28.0],
                "ciede2000": [30.25, 28.0],
                "ms_ssim": [0.98, 0.9],
            }
        ],
    }
    (tmp_path / "found.json").write_text(json.dumps(bench))
    document = tmp_path / "doc.md"
    document.write_text("before\n<!-- figures -->\nold\n<!-- /figures -->\nafter\n")
    main = runpy.run_path(str(TOOLS / "figure_tables.py"))["main"]
    main(tmp_path / "found.json", document)
    rows = document.read_text().splitlines()
    assert rows[0] == "before"
    assert rows[-1] == "after"
    assert (
        rows[4] == "| **batchcomp** | **-55.0 %** | **-** | **.9600** | **.9600** | **.9600** | **.9600** | **.9600** |"
    )
    assert rows[5] == "| JPEG (optimised, progressive) | 0 | 0 | .9000 | .9000 | .9000 | .9000 | .9000 |"
    assert rows[7] == (
        "| bytes at equal SSIMULACRA2 | against AVIF, 30 to 60 | AVIF, 60 to 78 | JPEG XL, 60 to 78 "
        "| JPEG, 30 to 60 | JPEG, 60 to 78 |"
    )
    assert rows[9] == "| **batchcomp** | **-12.3 %** | **-12.3 % (20)** | **-** | **0** | **0** |"
    assert rows[11].startswith("| JPEG (optimised, progressive) | +55.0 % | 0 |")
    assert rows[15].startswith("| 0.5 | .9800 against .9000, 23 of 24 | 30.2 against 28.0, 23 of 24 |")
    with pytest.raises(ValueError, match="no lines"):
        main(tmp_path / "found.json", tmp_path / "found.json")


def test_a_second_anchor_has_a_column_where_it_was_measured() -> None:
    """Bytes against MozJPEG stand beside those against JPEG; more bytes have their sign too."""
    curves = runpy.run_path(str(TOOLS / "figure_tables.py"))["curves"]
    rates = [
        {"rival": rival, "anchor": anchor, "of_mean_curve": change, "in_usual_span": change}
        for rival, anchor, change in [
            ("jpeg", "jpeg", 0.0),
            ("mozjpeg", "jpeg", -24.9),
            ("jpeg", "mozjpeg", 33.16),
            ("mozjpeg", "mozjpeg", 0.0),
        ]
    ]
    wins = [
        {"rival": rival, "anchor": "jpeg", "rate": rate, "mean_ms_ssim": 0.95, "anchor_mean_ms_ssim": 0.9}
        for rival in ("batchcomp", "mozjpeg")
        for rate in (0.25, 0.35, 0.5, 0.75, 1.0)
    ]
    rows = curves({"bd_rates": rates, "wins": wins}).splitlines()
    assert rows[0].startswith(
        "| codec | BD-rate against JPEG | 12.5 to 20 dB only | against MozJPEG | MS-SSIM at .25 bpp"
    )
    assert rows[2].startswith("| MozJPEG (trellis) | -24.9 % | -24.9 % | 0 | .9500 |")
    assert rows[3].startswith("| JPEG (optimised, progressive) | 0 | 0 | +33.2 % | .9000 |")
