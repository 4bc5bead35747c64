"""Curves of others come with the package, without those that are not what they are called."""

from __future__ import annotations

import json
from importlib.resources import files

from batchcomp.benchmark.compare import db_at
from batchcomp.benchmark.published import are_kodak, published

KODAK = [f"kodim{number:02}.png" for number in range(1, 25)]


def test_curves_rise_and_name_what_they_were_trained_for() -> None:
    """More bits are more MS-SSIM; what was trained for it is far better than VVC at half a bit."""
    curves = published()
    assert {"vtm", "hm", "cheng2020-attn, for MS-SSIM", "mbt2018, for MS-SSIM", "mbt2018, for MSE"} <= curves.keys()
    for name, curve in curves.items():
        assert [point.bpp for point in curve] == sorted(point.bpp for point in curve), name
        assert all(0.5 < point.ms_ssim < 1 for point in curve), name
    vvc = db_at(curves["vtm"], 0.5)
    assert vvc is not None
    for name in curves:
        if name.endswith("for MS-SSIM"):
            found = db_at(curves[name], 0.5)
            assert found is not None, name
            assert found > vvc + 1, name


def test_mislabelled_curves_are_left_out_and_sources_are_named() -> None:
    """ELIC's, two without context models and those decoded to 8 bits are of models trained for MSE."""
    raw = json.loads(files("batchcomp.benchmark").joinpath("published.json").read_text(encoding="utf-8"))
    assert not [name for name in raw["curves"] if name.endswith(("elic2022_ms-ssim", "parallel_ms-ssim"))]
    assert not [one["file"] for one in raw["curves"].values() if "8bit-decoded" in one["file"] or not one["file"]]
    assert raw["source"].startswith("https://")
    assert len(raw["commit"]) == 40


def test_only_the_same_pictures_are_compared() -> None:
    """All 24 of Kodak, by whatever path, and no others."""
    assert are_kodak(KODAK)
    assert are_kodak([f"/data/{name}" for name in KODAK])
    assert not are_kodak(KODAK[:-1])
    assert not are_kodak([*KODAK, "mine.png"])
