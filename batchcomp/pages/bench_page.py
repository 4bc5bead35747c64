"""What `bench curves --html` and `bench speed --html` write: charts, tables, and parts of pictures at equal bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from batchcomp.images.picture import Pixels
from batchcomp.pages import images
from batchcomp.pages.document import as_json, render
from batchcomp.report.sheet import Sheet
from batchcomp.report.text import human, number
from batchcomp.report.trade import SAVED, UNIT, TradePoint, family_of, is_ours, point_name, whole_speeds

SCRIPTS: Final = ("page.js", "charts.js", "bench.js")
OURS, RIVAL, PUBLISHED = "ours", "rival", "published"
MOST_BPP: Final = 1.5  # shown; above it all curves crowd together
LEAST_SCORE: Final = -20.0  # of SSIMULACRA2 that is shown; below it nothing is told
CROP: Final = (384, 256)  # pixels of a part, the long side and the short one
CROP_BYTES: Final = 12_000_000  # of a page, for all parts


@dataclass(frozen=True, kw_only=True)
class Axis:
    """One direction of a chart; `scale` is "linear", "log" or "likeness" (MS-SSIM in steps of equal decibels)."""

    title: str
    scale: str = "linear"


@dataclass(frozen=True, kw_only=True)
class Series:
    """Points (x, y) with a name each or none; `kind` is `OURS`, `RIVAL` or `PUBLISHED`."""

    name: str
    kind: str
    points: Sequence[tuple[float, float, str]]
    shown: bool = True


@dataclass(frozen=True, kw_only=True)
class LineChart:
    """A chart of lines with points on them."""

    title: str
    x: Axis
    y: Axis
    series: Sequence[Series]
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class BenchPage:
    """What a page shows."""

    title: str
    eyebrow: str
    summary: str
    charts: Sequence[LineChart]
    sheets: Sequence[Sheet]
    samples: Sequence[Any] = ()  # of `benchmark.crops.Sample`, not imported: its room needs the extra
    notes: Sequence[str] = ()


def html_of(page: BenchPage) -> str:
    """Return the page."""
    charts = [chart for chart in page.charts if any(series.points for series in chart.series)]
    return render(
        "bench.html.j2",
        scripts=SCRIPTS,
        styles=("style.css", "bench.css"),
        title=page.title,
        eyebrow=page.eyebrow,
        summary=page.summary,
        charts=as_json([_chart(chart) for chart in charts]),
        chart_count=len(charts),
        sheets=page.sheets,
        samples=list(_samples(page.samples)),
        notes=page.notes,
    )


def _chart(chart: LineChart) -> dict[str, Any]:
    return {
        "title": chart.title,
        "note": chart.note,
        "x": vars(chart.x),
        "y": vars(chart.y),
        "series": [
            {
                "name": one.name,
                "kind": one.kind,
                "shown": one.shown,
                "points": [[x, y, text] for x, y, text in one.points],
            }
            for one in chart.series
            if one.points
        ],
    }


def quality_charts(result: Any, published: Mapping[str, Sequence[Any]]) -> Iterator[LineChart]:
    """Yield the mean curves by MS-SSIM, with the published ones, and by SSIMULACRA2.

    Args:
        result: a `benchmark.run.BenchResult`.
        published: curves of others by name, of the same pictures.
    """
    bytes_axis = Axis(title="bits per pixel")
    ours_and_rivals = [
        Series(
            name=name, kind=kind_of(name), points=[(p.bpp, p.ms_ssim, f"quality {p.quality:g}") for p in _low(curve)]
        )
        for name, curve in result.mean_curves.items()
    ]
    others = [
        Series(name=name, kind=PUBLISHED, points=[(p.bpp, p.ms_ssim, "") for p in _low(curve)], shown=_is_learned(name))
        for name, curve in published.items()
    ]
    yield LineChart(
        title="MS-SSIM",
        x=bytes_axis,
        y=Axis(title="MS-SSIM", scale="likeness"),
        series=[*ours_and_rivals, *others],
        note="Mean over the pictures at each quality." + (" Dashed: as published." if others else ""),
    )
    yield LineChart(
        title="SSIMULACRA2",
        x=bytes_axis,
        y=Axis(title="SSIMULACRA2"),
        series=[
            Series(name=name, kind=kind_of(name), points=_mean_scores(result.points, name)) for name in result.rivals
        ],
        note="90 is visually lossless, 70 high, 50 medium, 30 low. Of learned codecs no such curves are at hand.",
    )


def _low(curve: Sequence[Any]) -> list[Any]:
    return [point for point in curve if point.bpp <= MOST_BPP]


def _is_learned(name: str) -> bool:
    """Whether a published curve is shown at first: of codecs trained for this metric, and of the best that are not."""
    return name.endswith("for MS-SSIM") or name == "vtm"


def _mean_scores(points: Sequence[Any], rival: str) -> list[tuple[float, float, str]]:
    groups: dict[float, list[Any]] = {}
    for point in points:
        if point.rival == rival:
            groups.setdefault(point.quality, []).append(point)
    found = [
        (
            sum(one.bpp for one in group) / len(group),
            sum(one.ssimulacra2 for one in group) / len(group),
            f"quality {quality:g}",
        )
        for quality, group in groups.items()
    ]
    return sorted(one for one in found if one[0] <= MOST_BPP and one[1] > LEAST_SCORE)


def kind_of(name: str) -> str:
    """Return whether a codec is ours."""
    return OURS if is_ours(name) else RIVAL


def trade_chart(points: Sequence[TradePoint]) -> LineChart:
    """Return compression against speed: a line a codec, a point for each of its speeds."""
    lines: dict[str, list[tuple[float, float, str]]] = {}
    for one in points:
        lines.setdefault(one.line, []).append((one.speed, one.saved, one.name))
    note = "Further up and further right is better. One line a codec, one point for each of its speeds."
    if any(is_ours(line) for line in lines):
        note += " Of batchcomp one for each model, with its measuring and without: the same bytes."
    return LineChart(
        title="Compression against speed",
        x=Axis(title=UNIT, scale="log"),
        y=Axis(title=SAVED),
        series=[Series(name=name, kind=kind_of(name), points=found) for name, found in lines.items()],
        note=note,
    )


def by_picture(result: Any, rate: float, db_at: Any) -> Sheet:
    """Return MS-SSIM of each picture at a rate, the best of a row marked.

    Args:
        result: a `BenchResult`.
        rate: bits per pixel.
        db_at: `benchmark.compare.db_at`.
    """
    curves: dict[tuple[str, str], list[Any]] = {}
    for point in result.points:
        curves.setdefault((point.picture, point.rival), []).append(point)
    rows = []
    for picture in result.pictures:
        found = {name: db_at(curves.get((picture, name), ()), rate) for name in result.rivals}
        best = max((value for value in found.values() if value is not None), default=None)
        cells = [
            number(None if value is None else 1 - 10 ** (-value / 10), 4)
            + (" \N{BLACK STAR}" if value == best and best else "")
            for value in found.values()
        ]
        rows.append([picture, *cells])
    columns = [("picture", "left"), *((name, "right") for name in result.rivals)]
    return Sheet(
        title=f"MS-SSIM of each picture at {rate:g} bits per pixel (star: the best)", columns=columns, rows=rows
    )


def speed_charts(report: Any) -> Iterator[LineChart]:
    """Yield encoding against decoding, time over files, memory over pixels of a `benchmark.speedrun.SpeedReport`."""
    families: dict[str, list[tuple[float, float, str]]] = {}
    for name, (encoding, decoding) in whole_speeds(report).items():
        if decoding is not None:
            line, point = point_name(name)
            families.setdefault(line, []).append((encoding, decoding, point))
    for one in report.rivals:
        families.setdefault(family_of(one.name), []).append((one.encode_mps, one.decode_mps, one.name))
    yield LineChart(
        title="Encoding and decoding",
        x=Axis(title="encoding, megapixels a second", scale="log"),
        y=Axis(title="decoding, megapixels a second", scale="log"),
        series=[Series(name=name, kind=kind_of(name), points=sorted(points)) for name, points in families.items()],
        note=f"{report.threads} threads, near half a bit per pixel, on {report.picture}. "
        "Of batchcomp whole runs of compress and of decode to PNG.",
    )
    runs = [(run.files, 1000 * run.seconds / run.files, run.what) for run in report.small_files]
    yield LineChart(
        title="Many small files",
        x=Axis(title="files in a run", scale="log"),
        y=Axis(title="milliseconds a file, start-up included", scale="log"),
        series=[Series(name="batchcomp compress", kind=OURS, points=runs)],
    )
    memory = [(run.megapixels, run.peak_bytes / 1e9, run.what) for run in report.large_pictures if run.peak_bytes]
    yield LineChart(
        title="Memory of one picture",
        x=Axis(title="megapixels", scale="log"),
        y=Axis(title="GB at most"),
        series=[Series(name="batchcomp compress", kind=OURS, points=memory)],
    )


def _samples(samples: Sequence[Any]) -> Iterator[dict[str, Any]]:
    """Yield what the template shows of each picture; all parts of one are written alike."""
    budget = min(1_500_000, CROP_BYTES // max(1, len(samples)))
    for one in samples:
        parts: dict[str, Pixels] = {"": one.original} | {crop.rival: crop.pixels for crop in one.crops}
        written, quality = images.encoded_within({name: images.to_image(part) for name, part in parts.items()}, budget)
        height, width = one.original.shape[:2]
        figures = [{"src": written[""], "name": "original", "text": f"{one.width} x {one.height} pixels"}]
        figures += [
            {
                "src": written[crop.rival],
                "name": crop.rival,
                "text": f"{human(crop.size)}, MS-SSIM {crop.ms_ssim:.4f}, SSIMULACRA2 {crop.ssimulacra2:.1f}",
            }
            for crop in one.crops
        ]
        yield {"name": one.picture, "figures": figures, "width": width, "height": height, "quality": quality}
