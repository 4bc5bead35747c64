"""A whole benchmark on two tiny pictures."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from batchcomp.benchmark.curves import name_pictures
from batchcomp.benchmark.plot import plot_curves
from batchcomp.benchmark.rivals.jpeg import JpegRival
from batchcomp.benchmark.rivals.ours import Ours
from batchcomp.benchmark.run import SCHEMA, BenchResult, BenchSettings, run_bench
from batchcomp.benchmark.speed import measure_speeds, quality_near
from batchcomp.errors import PictureError, UsageError
from batchcomp.metrics.rate import bits_per_pixel
from tests.benchmark.samples import HalfJpeg, curve, photo, save_photos

FIELDS = {
    "schema",
    "pictures",
    "rivals",
    "points",
    "mean_curves",
    "bd_rates",
    "wins",
    "guards",
    "guard_summaries",
    "speeds",
}


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> tuple[BenchResult, list[tuple[str, str]]]:
    seen: list[tuple[str, str]] = []
    result = run_bench(
        save_photos(tmp_path_factory.mktemp("photos")),
        HalfJpeg(),
        BenchSettings(rivals=["webp"], rates=(0.5, 1.0), guard_rates=(1.0,), speed=True),
        on_done=lambda stage, name: seen.append((stage, name)),
    )
    return result, seen


def test_the_json_has_its_schema(bench: tuple[BenchResult, object]) -> None:
    found = json.loads(bench[0].to_json())
    assert found["schema"] == SCHEMA == "batchcomp-bench/1"
    assert set(found) == FIELDS
    assert set(found["points"][0]) >= {"picture", "rival", "quality", "size", "bpp", "ms_ssim", "psnr", "ciede2000"}


def test_every_rival_meets_jpeg_at_every_rate(bench: tuple[BenchResult, object]) -> None:
    result = bench[0]
    assert result.rivals == ["batchcomp", "jpeg", "webp"]
    assert [row.rival for row in result.bd_rates] == result.rivals
    assert result.bd_rates[1].of_mean_curve == pytest.approx(0, abs=1e-9)
    assert [(row.rival, row.rate) for row in result.wins] == [
        (rival, rate) for rival in ("batchcomp", "webp") for rate in (0.5, 1.0)
    ]
    assert [speed.rival for speed in result.speeds] == result.rivals
    assert [summary.pictures for summary in result.guard_summaries] == [2]


def test_progress_names_each_picture_and_stage(bench: tuple[object, list[tuple[str, str]]]) -> None:
    pictures = ["photo0.png", "photo1.png"]
    rivals = ["batchcomp", "jpeg", "webp"]
    stages = [("curves", pictures), ("guards", pictures), ("speed", rivals)]
    assert bench[1] == [(stage, name) for stage, names in stages for name in names]


def test_jobs_change_nothing_but_the_seconds(bench: tuple[BenchResult, object], tmp_path: Path) -> None:
    alone = bench[0]
    shared = run_bench(save_photos(tmp_path), HalfJpeg(), BenchSettings(rivals=["webp"], guard_rates=(), jobs=2))
    key = [(p.picture, p.rival, p.quality, p.size, round(p.ms_ssim, 6)) for p in alone.points]
    assert [(p.picture, p.rival, p.quality, p.size, round(p.ms_ssim, 6)) for p in shared.points] == key


def test_nothing_to_do_and_bad_pictures_are_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="at least one picture"):
        run_bench([], HalfJpeg())
    (tmp_path / "empty.png").touch()
    with pytest.raises(PictureError, match=r"empty\.png"):
        run_bench([tmp_path / "empty.png"], HalfJpeg())


def test_pictures_of_one_name_are_told_apart() -> None:
    tasks = name_pictures([Path("a/x.png"), Path("b/x.png"), Path("b/y.png")])
    assert [task.name for task in tasks] == ["a/x.png", "b/x.png", "y.png"]


def test_speed_is_measured_near_the_usual_rate() -> None:
    rgb, jpeg = photo(), JpegRival()
    quality = quality_near(rgb, jpeg, 0.9)
    coarser = jpeg.qualities[jpeg.qualities.index(quality) - 1]
    reached = [bits_per_pixel(len(jpeg.encode(rgb, q)), 168, 176) for q in (coarser, quality)]
    assert reached[0] < 0.9 <= reached[1]
    (speed,) = measure_speeds(rgb, [Ours(HalfJpeg())], threads=1)
    assert speed.encode_mps > 0
    assert speed.decode_mps > 0


@pytest.mark.parametrize("suffix", [".png", ".svg"])
def test_plot_with_published_curves(tmp_path: Path, suffix: str) -> None:
    published = tmp_path / "published.json"
    published.write_text('{"curves": {"set/vvc": {"points": [[0.1, 0.9], [0.5, 0.97]]}}}')
    out = tmp_path / f"plot{suffix}"
    plot_curves({"batchcomp": curve(0.5), "jpeg": curve()}, out, published=published)
    assert out.stat().st_size > 1000
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([out.name, published.name])


def test_plot_refuses_other_files(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"ends in \.png or \.svg"):
        plot_curves({}, tmp_path / "plot.gif")
    broken = tmp_path / "published.json"
    broken.write_text("[1]")
    with pytest.raises(UsageError, match=r"published\.json: published curves expected"):
        plot_curves({}, tmp_path / "plot.png", published=broken)
