"""The cohort table: the same bytes for all, the right groups, honest gaps."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from batchcomp.benchmark.cohorts import (
    ALL,
    BICUBIC,
    COLOURFUL,
    REST,
    SCHEMA,
    CohortResult,
    Measured,
    gaps_of,
    ms_ssim_at_rate,
    rows_of,
    run_cohorts,
    spread,
)
from batchcomp.benchmark.rivals.base import Rival
from batchcomp.benchmark.rivals.jpeg import JpegRival
from batchcomp.benchmark.rivals.ours import Ours
from batchcomp.errors import UsageError
from batchcomp.metrics.ms_ssim import ms_ssim
from batchcomp.report.cohorts import sheets
from tests.benchmark.samples import HalfJpeg, photo, save_photos

CODECS: list[Rival] = [Ours(HalfJpeg(), "nets"), Ours(HalfJpeg(), BICUBIC), JpegRival()]
NAMES = [codec.name for codec in CODECS]
RATE = 0.8


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> CohortResult:
    cohorts = {}
    for name, count in (("train", 4), ("test", 2)):
        folder = tmp_path_factory.mktemp(name)
        cohorts[name] = save_photos(folder, count)
    (cohorts["test"][0].parent / "broken.png").write_bytes(b"no picture")
    cohorts["test"].append(cohorts["test"][0].parent / "broken.png")
    return run_cohorts(cohorts, CODECS, rate=RATE, sample=3)


def measured(cohort: str, number: int, colour: float, **scores: float) -> Measured:
    return Measured(cohort=cohort, picture=f"{number}.png", colourfulness=colour, ms_ssim=scores)


def test_a_sample_is_spread_over_the_cohort() -> None:
    """First and last are in it; a small cohort is taken whole."""
    paths = [Path(f"{n}.png") for n in range(100)]
    assert [path.stem for path in spread(paths, 4)] == ["0", "33", "66", "99"]
    assert spread(paths[:3], 4) == paths[:3]


def test_the_score_is_between_those_of_the_neighbouring_files() -> None:
    """The bytes asked for lie between two files; so does the answer, and at a file's own bytes it is the file's."""
    rgb, codec = photo(), JpegRival()
    files = {quality: codec.encode(rgb, quality) for quality in (30, 31)}
    scores = {quality: ms_ssim(codec.decode(data), rgb) for quality, data in files.items()}
    per_byte = 8 / (rgb.shape[0] * rgb.shape[1])
    middle = ms_ssim_at_rate(rgb, codec, (len(files[30]) + len(files[31])) / 2 * per_byte)
    assert middle is not None
    assert min(scores.values()) < middle < max(scores.values())
    assert ms_ssim_at_rate(rgb, codec, len(files[30]) * per_byte) == pytest.approx(scores[30])


@pytest.mark.parametrize("rate", [0.001, 50.0])
def test_a_rate_out_of_reach_has_no_score(rate: float) -> None:
    """Below the coarsest quality's bytes or above the finest's, nothing is made up."""
    assert ms_ssim_at_rate(photo(), JpegRival(), rate) is None


def test_a_flat_picture_breaks_nothing() -> None:
    """Its files hardly change with quality and may be perfect: MS-SSIM 1, or none."""
    flat = np.full((168, 176, 3), 77, np.uint8)
    for rate in (0.1, 0.2, 0.4):
        score = ms_ssim_at_rate(flat, JpegRival(), rate)
        assert score is None or 0 <= score <= 1


def test_the_most_colourful_quarter_is_of_the_cohort() -> None:
    """A quarter of the pictures, rounded up, by colourfulness; the rest is all others."""
    members = [measured("test", n, colour=n, nets=0.9 + n / 100, bicubic=0.9, jpeg=0.92) for n in range(5)]
    rows = {row.group: row for row in rows_of("test", members, ["nets", "bicubic", "jpeg"])}
    assert {group: row.pictures for group, row in rows.items()} == {ALL: 5, COLOURFUL: 2, REST: 3}
    assert rows[COLOURFUL].ms_ssim["nets"] == pytest.approx(0.935)
    assert rows[REST].ms_ssim["nets"] == pytest.approx(0.91)
    assert (rows[ALL].wins, rows[COLOURFUL].wins, rows[REST].wins) == (2, 2, 0)


def test_means_are_over_the_same_pictures_for_all_codecs() -> None:
    """A picture that one codec cannot bring to the rate counts for none."""
    members = [
        measured("test", 0, 1, nets=0.9, bicubic=0.8, jpeg=0.7),
        measured("test", 1, 2, nets=0.99, bicubic=0.98),
    ]
    (row, *_) = rows_of("test", members, ["nets", "bicubic", "jpeg"])
    assert row.pictures == 1
    assert row.ms_ssim == {"nets": 0.9, "bicubic": 0.8, "jpeg": 0.7}
    with pytest.raises(UsageError, match="cohort test: no picture"):
        rows_of("test", members[1:], ["nets", "bicubic", "jpeg"])


def test_a_gap_tells_overfitting_from_easier_pictures() -> None:
    """Pictures that are easier for every codec leave the gain where it was; nets that remember raise it."""
    members = [
        measured("train", 0, 1, nets=0.97, bicubic=0.92, jpeg=0.90),
        measured("test", 1, 1, nets=0.90, bicubic=0.88, jpeg=0.86),
    ]
    names = ["nets", "bicubic", "jpeg"]
    rows = [row for cohort in ("train", "test") for row in rows_of(cohort, members, names)]
    gaps = {gap.codec: gap for gap in gaps_of(rows, names)}
    assert gaps["nets"].ms_ssim == pytest.approx(0.07)
    assert gaps["nets"].gain == pytest.approx(0.03)
    assert gaps["bicubic"].gain == pytest.approx(0)
    assert gaps["jpeg"].gain == pytest.approx(0)
    assert gaps_of([row for row in rows if row.cohort == "test"], names) == []


def test_every_cohort_is_measured(result: CohortResult) -> None:
    """Samples of at most three, means of what was measured, and the broken picture named, not fatal."""
    counts = {(row.cohort, row.group): row.pictures for row in result.rows}
    assert counts["train", ALL] == 3
    assert counts["test", ALL] == 2
    assert list(result.left_out) == ["broken.png"]
    (row,) = [row for row in result.rows if (row.cohort, row.group) == ("test", ALL)]
    scores = [m.ms_ssim["jpeg"] for m in result.pictures if m.cohort == "test"]
    assert row.ms_ssim["jpeg"] == pytest.approx(np.mean(scores))
    assert all(0.3 < value < 1 for value in row.ms_ssim.values())


def test_the_json_is_whole(result: CohortResult) -> None:
    """It reads back, has its schema, and no number that JSON does not know."""
    found = json.loads(result.to_json())
    assert found["schema"] == SCHEMA == "batchcomp-cohorts/1"
    assert found["codecs"] == NAMES
    assert {row["cohort"] for row in found["rows"]} == {"train", "test"}
    assert all(math.isfinite(gap["gain"]) for gap in found["gaps"])


def test_the_tables_show_every_row_and_gap(result: CohortResult) -> None:
    """One line a group, one a gap, as many cells as headings."""
    means, gaps = sheets(result)
    assert len(means.rows) == len(result.rows)
    assert len(gaps.rows) == len(result.gaps)
    assert all(len(row) == len(sheet.columns) for sheet in (means, gaps) for row in sheet.rows)
    assert means.rows[0][:3] == ["train", ALL, "3"]


@pytest.mark.parametrize("rate", [0.0, -1.0, float("nan"), float("inf")])
def test_impossible_rates_are_refused(tmp_path: Path, rate: float) -> None:
    """Before anything is measured."""
    with pytest.raises(UsageError, match="bits per pixel above 0"):
        run_cohorts({"test": save_photos(tmp_path)}, CODECS, rate=rate)


def test_grey_pictures_go_along(tmp_path: Path) -> None:
    """They count as the least colourful."""
    Image.fromarray(photo()[..., 0]).save(tmp_path / "grey.png")
    found = run_cohorts({"test": [tmp_path / "grey.png", *save_photos(tmp_path, 1)]}, CODECS, rate=RATE)
    assert found.pictures[0].colourfulness == 0 < found.pictures[1].colourfulness
