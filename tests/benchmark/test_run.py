"""A whole benchmark on two tiny pictures."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from batchcomp.benchmark.results import points_of
from batchcomp.benchmark.rivals.ours import Ours
from batchcomp.benchmark.run import SCHEMA, BenchResult, BenchSettings, merged, run_bench
from batchcomp.errors import PictureError, UsageError
from tests.benchmark.samples import HalfJpeg, save_photos

FIELDS = {
    "schema",
    "pictures",
    "rivals",
    "points",
    "mean_curves",
    "bd_rates",
    "eye_rates",
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
    """The document has its schema and exactly the promised fields."""
    found = json.loads(bench[0].to_json())
    assert found["schema"] == SCHEMA == "batchcomp-bench/1"
    assert set(found) == FIELDS
    assert set(found["points"][0]) >= {"picture", "rival", "quality", "size", "bpp", "ms_ssim", "psnr", "ciede2000"}


def test_every_rival_meets_jpeg_at_every_rate(bench: tuple[BenchResult, object]) -> None:
    """Each rival has a BD-rate, a speed, and wins at each rate; JPEG against itself is 0."""
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
    """Every picture is named in each stage, every codec when it is timed."""
    pictures = ["photo0.png", "photo1.png"]
    rivals = ["batchcomp", "jpeg", "webp"]
    stages = [("curves", pictures), ("guards", pictures), ("speed", rivals)]
    assert bench[1] == [(stage, name) for stage, names in stages for name in names]


def test_jobs_change_nothing_but_the_seconds(bench: tuple[BenchResult, object], tmp_path: Path) -> None:
    """Bytes and scores are the same in one process and in two."""
    alone = bench[0]
    shared = run_bench(save_photos(tmp_path), HalfJpeg(), BenchSettings(rivals=["webp"], guard_rates=(), jobs=2))
    key = [(p.picture, p.rival, p.quality, p.size, round(p.ms_ssim, 6)) for p in alone.points]
    assert [(p.picture, p.rival, p.quality, p.size, round(p.ms_ssim, 6)) for p in shared.points] == key


def test_nothing_to_do_and_bad_pictures_are_said(tmp_path: Path) -> None:
    """No picture is a usage error, a broken one is an error that names it."""
    with pytest.raises(UsageError, match="at least one picture"):
        run_bench([], HalfJpeg())
    (tmp_path / "empty.png").touch()
    with pytest.raises(PictureError, match=r"empty\.png"):
        run_bench([tmp_path / "empty.png"], HalfJpeg())


def test_curves_that_were_measured_before_are_taken_over(tmp_path: Path) -> None:
    """Rivals at all their qualities on all pictures; ours is measured each time."""
    photos = save_photos(tmp_path)
    settings = BenchSettings(rivals=["jpeg", "webp"], guard_rates=())
    first = run_bench(photos, HalfJpeg(), settings)
    marked = [replace(point, ciede2000=99.0) for point in points_of(first.to_json())]
    again = run_bench(photos, HalfJpeg(), replace(settings, known=marked))
    assert {point.rival for point in again.points if point.ciede2000 == 99} == {"jpeg", "webp"}
    assert len(again.points) == len(first.points)
    assert again.bd_rates == first.bd_rates
    last = max(point.quality for point in marked if point.rival == "webp")
    fewer = [point for point in marked if (point.rival, point.quality) != ("webp", last)]
    found = run_bench(photos, HalfJpeg(), replace(settings, known=fewer))
    assert {point.rival for point in found.points if point.ciede2000 == 99} == {"jpeg"}
    with pytest.raises(ValueError, match="no points of a benchmark"):
        points_of("[]")


def test_codecs_of_ours_are_measured_each_time(tmp_path: Path) -> None:
    """Earlier curves of ours may be of other networks under the same name: they are never taken over."""
    photos, settings = save_photos(tmp_path, 1), BenchSettings(rivals=["jpeg"], guard_rates=())
    packed = Ours(HalfJpeg(), "batchcomp --pack", (20, 60))
    first = run_bench(photos, HalfJpeg(), settings, more=[packed])
    marked = [replace(point, ciede2000=99.0) for point in first.points]
    again = run_bench(photos, HalfJpeg(), replace(settings, known=marked), more=[packed])
    assert {point.rival for point in again.points if point.ciede2000 == 99} == {"jpeg"}


def test_results_of_several_models_become_one(bench: tuple[BenchResult, object], tmp_path: Path) -> None:
    """Ours stand first, what several have is the first one's, and each is compared with JPEG."""
    settings = BenchSettings(rivals=["jpeg"], guard_rates=())
    other = run_bench(save_photos(tmp_path), HalfJpeg(), settings, name="batchcomp fast")
    marked = replace(other, points=[replace(point, ciede2000=99.0) for point in other.points])
    found = merged([bench[0], marked])
    assert found.rivals == ["batchcomp", "batchcomp fast", "jpeg", "webp"]
    assert {point.rival for point in found.points if point.ciede2000 == 99} == {"batchcomp fast"}
    assert {row.rival for row in found.bd_rates} == set(found.rivals)
    assert (found.guards, found.speeds) == (bench[0].guards, bench[0].speeds)
    assert merged([marked, bench[0]]).speeds == bench[0].speeds
    assert {wins.rate for wins in found.wins} == {0.5, 1.0}
