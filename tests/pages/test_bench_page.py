"""The pages of `bench`: what their charts and tables hold, and that a browser shows them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from batchcomp.pages.bench_page import (
    BenchPage,
    LineChart,
    by_picture,
    html_of,
    quality_charts,
    speed_charts,
    trade_chart,
)
from batchcomp.report.sheet import Sheet
from batchcomp.report.trade import savings, trade
from tests.cli.samples import photo
from tests.pages.browser import Open, faults, in_browser

SIZES = pytest.mark.parametrize("width", [360, 1280, 2560])
THEMES = pytest.mark.parametrize("theme", ["light", "dark"])
SPEEDS = {
    "batchcomp": 5.0,
    "batchcomp, measured": 2.0,
    "batchcomp fast": 9.0,
    "batchcomp fast, measured": 5.2,
    "avif speed 6": 4.9,
    "avif speed 9": 40.0,
    "jpeg": 90.0,
}
NAME = "<img src=x onerror=alert(1)>.png"


def points(rival: str, *curve: tuple[float, float, float]) -> list[Any]:
    return [
        SimpleNamespace(picture=picture, rival=rival, quality=n, bpp=bpp + shift, ms_ssim=ms_ssim, ssimulacra2=score)
        for n, (bpp, ms_ssim, score) in enumerate(curve)
        for picture, shift in ((NAME, 0.0), ("b.png", 0.1))
    ]  # fmt: skip


def result() -> Any:
    """Return what a benchmark of two pictures and three codecs found."""
    found = [
        *points("batchcomp", (0.2, 0.95, 40), (0.9, 0.99, 75), (2.0, 0.999, 92)),
        *points("jpeg", (0.2, 0.85, -40), (0.9, 0.97, 60)),
        *points("avif", (0.2, 0.94, 30), (0.9, 0.985, 74)),
    ]
    curves = {
        name: [one for one in found if one.rival == name and one.picture == NAME]
        for name in ("batchcomp", "jpeg", "avif")
    }
    rates = [("batchcomp", "jpeg", -50.0, -52.0), ("jpeg", "jpeg", 0.0, 0.0), ("avif", "jpeg", -40.0, None)]
    rates += [("batchcomp", "mozjpeg", -35.0, -36.0)]
    return SimpleNamespace(
        pictures=[NAME, "b.png"],
        rivals=["batchcomp", "jpeg", "avif"],
        points=found,
        mean_curves=curves,
        bd_rates=[
            SimpleNamespace(rival=rival, anchor=anchor, of_mean_curve=mean, in_usual_span=usual)
            for rival, anchor, mean, usual in rates
        ],
    )


def published() -> dict[str, list[Any]]:
    line = [SimpleNamespace(bpp=0.1, ms_ssim=0.9), SimpleNamespace(bpp=0.8, ms_ssim=0.99)]
    return {"cheng2020, for MS-SSIM": line, "hm": line}


def sample() -> Any:
    """Return a part of a picture through two codecs."""
    part = photo(60, 90)
    crops = [
        SimpleNamespace(rival=name, pixels=np.roll(part, n, 1), size=9000 - n, ms_ssim=0.97, ssimulacra2=60.5)
        for n, name in enumerate(("batchcomp", "avif"))
    ]
    return SimpleNamespace(picture=NAME, width=300, height=200, original=part, crops=crops)


def page_html() -> str:
    found = result()
    charts = [
        *quality_charts(found, published()),
        trade_chart(trade(savings(found) | {"batchcomp fast": 43.0, "avif speed 9": 31.0}, SPEEDS)),
    ]
    page = BenchPage(
        title="Compression",
        eyebrow="batchcomp bench",
        summary="2 pictures.",
        charts=charts,
        sheets=[Sheet(title=f"Of {NAME}", columns=[("codec", "left"), ("x", "right")], rows=[["a", "1"], [NAME, "2"]])],
        samples=[sample()],
        notes=["Note."],
    )  # fmt: skip
    return html_of(page)


def data(page: str) -> list[dict[str, Any]]:
    (text,) = re.findall(r'id="charts-data">(.*?)</script>', page)
    found: list[dict[str, Any]] = json.loads(text)
    return found


def named(chart: LineChart) -> dict[str, list[tuple[float, float, str]]]:
    return {one.name: list(one.points) for one in chart.series}


def test_curves_are_means_and_published_ones_are_told_apart() -> None:
    """Beyond what is shown nothing is drawn; a published curve that was not trained for this metric is hidden first."""
    by_ms_ssim, by_score = quality_charts(result(), published())
    assert [point[0] for point in named(by_ms_ssim)["batchcomp"]] == [0.2, 0.9]
    kinds = {one.name: (one.kind, one.shown) for one in by_ms_ssim.series}
    assert kinds == {
        "batchcomp": ("ours", True),
        "jpeg": ("rival", True),
        "avif": ("rival", True),
        "cheng2020, for MS-SSIM": ("published", True),
        "hm": ("published", False),
    }
    assert named(by_score)["batchcomp"] == [
        (pytest.approx(0.25), 40, "quality 0"),
        (pytest.approx(0.95), 75, "quality 1"),
    ]
    assert named(by_score)["jpeg"] == [(pytest.approx(0.95), 60, "quality 1")]


def test_compression_against_speed_has_a_line_a_codec() -> None:
    """Each speed of a codec is a point of its line, ours each model measured and not; the note says so."""
    saved = savings(result()) | {"avif speed 9": 31.0, "batchcomp fast": 43.0}
    chart = trade_chart(trade(saved, SPEEDS))
    assert named(chart) == {
        "batchcomp": [
            (2.0, 52.0, "default, measured"),
            (5.0, 52.0, "default, not measured"),
            (5.2, 43.0, "fast, measured"),
            (9.0, 43.0, "fast, not measured"),
        ],
        "avif": [(4.9, 40.0, "avif speed 6"), (40.0, 31.0, "avif speed 9")],
        "jpeg": [(90.0, 0.0, "jpeg")],
    }
    assert [one.kind for one in chart.series] == ["ours", "rival", "rival"]
    assert "each model, with its measuring and without" in chart.note
    assert "batchcomp" not in trade_chart(trade({"jpeg": 0.0}, {"jpeg": 90.0})).note


def test_speeds_have_every_model() -> None:
    """Encoding against decoding has whole runs of each model of ours beside the rivals."""
    runs = [("compress", 2.0), ("compress, fast", 8.0), ("compress, measured, fast", 3.0)]
    runs += [("decode to PNG", 2.5), ("decode to PNG, fast", 9.0)]
    report = SimpleNamespace(
        rivals=[SimpleNamespace(name="avif speed 6", encode_mps=4.0, decode_mps=100.0)],
        wholes=[SimpleNamespace(what=what, working_mps=lambda _, mps=mps: mps) for what, mps in runs],
        model="default",
        startup_seconds=0.5,
        threads=2,
        picture="a.jpg",
        small_files=[],
        large_pictures=[],
    )
    assert named(next(speed_charts(report))) == {
        "batchcomp": [
            (2.0, 2.5, "default, not measured"),
            (3.0, 9.0, "fast, measured"),
            (8.0, 9.0, "fast, not measured"),
        ],
        "avif": [(4.0, 100.0, "avif speed 6")],
    }


def test_each_picture_has_its_winner() -> None:
    """The best of a row has a star; what a codec does not reach is a dash."""
    sheet = by_picture(
        result(), 0.35, lambda curve, rate: max((p.ms_ssim * 10 for p in curve if p.bpp <= rate), default=None)
    )
    assert [name for name, _ in sheet.columns] == ["picture", "batchcomp", "jpeg", "avif"]
    assert [["\N{BLACK STAR}" in cell for cell in row[1:]] for row in sheet.rows] == [[True, False, False]] * 2
    none = by_picture(result(), 0.1, lambda _, __: None)
    assert none.rows[0][1:] == ["-", "-", "-"]


def test_names_reach_the_page_escaped() -> None:
    """In tables, captions and data."""
    page = page_html()
    assert NAME not in page
    assert "&lt;img src=x onerror" in page
    assert [chart["title"] for chart in data(page)] == ["MS-SSIM", "SSIMULACRA2", "Compression against speed"]


def test_an_empty_chart_is_left_out() -> None:
    """Without speeds there is no chart of them."""
    page = html_of(BenchPage(title="x", eyebrow="x", summary="x", charts=[trade_chart([])], sheets=[]))
    assert data(page) == []


@pytest.fixture(scope="module")
def bench_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bench") / "bench.html"
    path.write_text(page_html(), encoding="utf-8")
    return path


def overlapping(chart: Any) -> list[tuple[str, str]]:
    """Return the names of points that lie over one another; there is one at least."""
    found = chart.locator("text.name").evaluate_all(
        "all => all.map(e => [e.textContent, e.getBoundingClientRect().toJSON()])"
    )
    assert found
    return [
        (one, other)
        for n, (one, a) in enumerate(found)
        for other, b in found[n + 1 :]
        if a["left"] < b["right"]
        and b["left"] < a["right"]
        and a["top"] < b["bottom"] - 2
        and b["top"] < a["bottom"] - 2
    ]


@in_browser
@SIZES
@THEMES
def test_it_fits_and_axe_finds_nothing(bench_file: Path, open_page: Open, width: int, theme: str) -> None:
    """At every width, in either theme."""
    opened = open_page(bench_file, width, theme, bypass_csp=True)
    opened.page.wait_for_selector("svg .line", state="attached")  # charts are drawn once their size is known
    assert opened.page.evaluate("document.documentElement.scrollWidth") == width
    assert opened.page.locator("svg .line").count() == 8  # two of the last chart: ours and AVIF's
    assert overlapping(opened.page.locator(".lines").last) == []
    assert faults(opened.page) == []


@in_browser
def test_points_of_ours_are_named(bench_file: Path, open_page: Open) -> None:
    """With room for it, every point of compression against speed has its name beside it; hidden lines have none."""
    chart = open_page(bench_file).page.locator(".lines").last
    chart.locator("text.name").first.wait_for(state="attached")
    ours = {f"{model}, {measured}" for model in ("default", "fast") for measured in ("measured", "not measured")}
    assert set(chart.locator("text.name").all_text_contents()) == ours | {"avif speed 6", "avif speed 9", "jpeg"}
    chart.get_by_label("avif").uncheck()
    assert chart.locator("text.name", has_text="avif").count() == 0


@in_browser
def test_lines_are_shown_and_hidden(bench_file: Path, open_page: Open) -> None:
    """A name below a chart does it; a point tells what it is; nothing is barred and no name does anything."""
    opened = open_page(bench_file)
    chart = opened.page.locator(".lines").first
    chart.locator(".line").first.wait_for(state="attached")
    assert chart.locator(".line").count() == 4
    chart.get_by_label("avif").uncheck()
    assert chart.locator(".line").count() == 3
    chart.locator("summary").click()
    chart.get_by_label("hm").check()
    assert chart.locator(".line").count() == 4
    chart.locator(".dot.ours").first.hover(force=True)
    assert chart.locator(".tip").inner_text() == "batchcomp, quality 0: 0.95 at 0.2 bits per pixel"
    assert opened.complaints == opened.dialogs == []
    assert opened.page.locator("img[src='x']").count() == 0
