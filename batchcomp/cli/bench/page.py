"""The pages that `bench curves` and `bench speed` write."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from batchcomp.cli import console
from batchcomp.errors import UsageError

if TYPE_CHECKING:
    from batchcomp.benchmark.crops import Sample
    from batchcomp.benchmark.rivals.base import Rival
    from batchcomp.benchmark.run import BenchResult
    from batchcomp.benchmark.speedrun import SpeedReport
    from batchcomp.images.picture import Pixels

T = TypeVar("T")

HtmlOpt = Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write one page with charts and tables.")]
RATE = 0.35  # bits per pixel at which pictures are told one by one
MOST_SAMPLES = 12


def write_curves(
    path: Path, result: BenchResult, *, samples: Sequence[Sample], published: Path | None, speeds: Path | None
) -> None:
    """Write the page of `bench curves`.

    Raises:
        UsageError: the file cannot be written, or another one not be read.
    """
    from batchcomp.benchmark import published as others
    from batchcomp.benchmark.compare import db_at
    from batchcomp.pages import bench_page
    from batchcomp.report.bench import sheets

    kodak = others.are_kodak(result.pictures)
    curves = others.published(published) if published or kodak else {}
    timed = speeds_of(speeds) if speeds else {speed.rival: speed.encode_mps for speed in result.speeds}
    notes = [f"Dashed curves: {published or others.SOURCE}."] if curves else []
    if not kodak and not published:
        notes.append("Published curves are of the 24 Kodak pictures and are left out for others.")
    page = bench_page.BenchPage(
        title="Compression against quality and speed",
        eyebrow="batchcomp bench",
        summary=summary_of(result),
        charts=[
            *bench_page.quality_charts(result, curves),
            bench_page.trade_chart(bench_page.savings(result), timed, unit="encoding, megapixels a second"),
        ],
        sheets=[*sheets(result), bench_page.by_picture(result, RATE, db_at)],
        samples=samples,
        notes=notes,
    )
    _write(path, bench_page.html_of(page))


def write_speed(path: Path, report: SpeedReport, *, curves: Path | None) -> None:
    """Write the page of `bench speed`; with curves of an earlier run, compression against speed too.

    Raises:
        UsageError: the file cannot be written, or the other one not be read.
    """
    from batchcomp.pages import bench_page
    from batchcomp.report.speed import speed_sheets

    charts = list(bench_page.speed_charts(report))
    if curves:
        saved = bench_page.savings(read(curves))
        charts.insert(0, bench_page.trade_chart(saved, speeds_in(report), unit="encoding, megapixels a second"))
    page = bench_page.BenchPage(
        title=f"Speed on {report.threads} threads",
        eyebrow="batchcomp bench",
        summary=f"{report.machine}, {report.engine} on {report.device}; {report.picture}, {report.megapixels:.1f} MP.",
        charts=charts,
        sheets=list(speed_sheets(report)),
    )
    _write(path, bench_page.html_of(page))


def summary_of(result: BenchResult) -> str:
    """Say the most important thing in one sentence."""
    ours = next((one for one in result.bd_rates if one.rival == result.rivals[0] and one.anchor == "jpeg"), None)
    change = None if ours is None else ours.in_usual_span if ours.in_usual_span is not None else ours.of_mean_curve
    pictures = f"{len(result.pictures):,} pictures"
    if change is None:
        return f"{pictures}, {len(result.rivals)} codecs."
    less = f"{abs(change):.0f} % {'fewer' if change < 0 else 'more'} bytes than JPEG"
    return f"{pictures}, {len(result.rivals)} codecs: {result.rivals[0]} takes {less} at equal MS-SSIM."


def speeds_of(path: Path) -> dict[str, float]:
    """Return the encoding speed of each codec in a file of `bench speed --json`, in megapixels a second.

    Raises:
        UsageError: it is no such file.
    """
    return speeds_in(read_speed(path))


def read_speed(path: Path) -> SpeedReport:
    """Return what `bench speed --json` wrote.

    Raises:
        UsageError: it is no such file.
    """
    from batchcomp.benchmark.speedrun import read_report

    return _parsed(path, read_report)


def speeds_in(report: SpeedReport) -> dict[str, float]:
    """Return the same of a report."""
    found = {one.name: one.encode_mps for one in report.rivals}
    wholes = {whole.what: whole.working_mps(report.startup_seconds) for whole in report.wholes}
    return found | ({"batchcomp": wholes["compress"]} if "compress" in wholes else {})


def read(path: Path) -> BenchResult:
    """Return what `bench curves --json` wrote.

    Raises:
        UsageError: it is no such file.
    """
    from batchcomp.benchmark.run import read_result

    return _parsed(path, read_result)


def _parsed(path: Path, parse: Callable[[str], T]) -> T:
    try:
        return parse(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: {getattr(error, 'strerror', None) or error}") from error


def samples_of(pictures: Sequence[Path], codecs: Sequence[Rival], count: int) -> list[Sample]:
    """Put some of the pictures, from all along the list, through the codecs."""
    from batchcomp.benchmark.crops import sample
    from batchcomp.benchmark.curves import name_pictures
    from batchcomp.cli.preview import spread

    chosen = set(spread(list(pictures), count)) if count else set()
    found = []
    for task in name_pictures(pictures):
        if task.path in chosen:
            console.say_progress(f"crops: {task.name}")
            found.append(sample(task, codecs, part_of))
    return found


def part_of(original: Pixels, ours: Pixels) -> Any:
    """Return the rows and columns where ours is least like the original."""
    from batchcomp.metrics.ssim_map import ssim_map
    from batchcomp.pages import bench_page, images

    height, width = original.shape[:2]
    box = images.worst_box(1 - ssim_map(ours, original, images.BLOCK), width, height, detail=bench_page.CROP)
    return slice(box.top, box.bottom), slice(box.left, box.right)


def _write(path: Path, page: str) -> None:
    from batchcomp.pages.document import write_page
    from batchcomp.report.text import human

    console.remark(f"{path}: {human(write_page(path, page))}; open it in a browser")
