"""The pages that `bench curves` and `bench speed` write."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from batchcomp.cli import console
from batchcomp.cli.bench.options import reading_json
from batchcomp.errors import UsageError

if TYPE_CHECKING:
    from batchcomp.benchmark.crops import Sample
    from batchcomp.benchmark.rivals.base import Rival
    from batchcomp.benchmark.run import BenchResult
    from batchcomp.benchmark.speedrun import SpeedReport
    from batchcomp.images.picture import Pixels
    from batchcomp.report.trade import TradePoint

T = TypeVar("T")

HtmlOpt = Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write one page with charts and tables.")]
RATE = 0.35  # bits per pixel at which pictures are told one by one
MOST_SAMPLES = 12


def write_curves(
    path: Path,
    result: BenchResult,
    trade: Sequence[TradePoint],
    *,
    samples: Sequence[Sample],
    published: Path | None,
) -> None:
    """Write the page of `bench curves`.

    Raises:
        UsageError: the file cannot be written, or the published curves not be read.
    """
    from batchcomp.benchmark import published as others
    from batchcomp.benchmark.compare import db_at
    from batchcomp.pages import bench_page
    from batchcomp.report.bench import sheets

    kodak = others.are_kodak(result.pictures)
    curves = others.published(published) if published or kodak else {}
    notes = [f"Dashed curves: {published or others.SOURCE}."] if curves else []
    if not kodak and not published:
        notes.append("Published curves are of the 24 Kodak pictures and are left out for others.")
    page = bench_page.BenchPage(
        title="Compression against quality and speed",
        eyebrow="batchcomp bench",
        summary=summary_of(result),
        charts=[
            *bench_page.quality_charts(result, curves),
            bench_page.trade_chart(trade),
        ],
        sheets=[*sheets(result, trade), bench_page.by_picture(result, RATE, db_at)],
        samples=samples,
        notes=notes,
    )
    _write(path, bench_page.html_of(page))


def write_speed(path: Path, report: SpeedReport, trade: Sequence[TradePoint]) -> None:
    """Write the page of `bench speed`, with compression against speed where that is known.

    Raises:
        UsageError: the file cannot be written.
    """
    from batchcomp.pages import bench_page
    from batchcomp.report.speed import speed_sheets

    page = bench_page.BenchPage(
        title=f"Speed on {report.threads} threads",
        eyebrow="batchcomp bench",
        summary=f"{report.machine}, {report.engine} on {report.device}; {report.picture}, {report.megapixels:.1f} MP.",
        charts=[bench_page.trade_chart(trade), *bench_page.speed_charts(report)],
        sheets=list(speed_sheets(report, trade)),
    )
    _write(path, bench_page.html_of(page))


def trade_of(result: BenchResult | None, report: SpeedReport | None) -> list[TradePoint]:
    """Return compression against speed: of the codecs of a result, by a report's speeds or else the result's own."""
    from batchcomp.report import trade

    if result is None:
        return []
    own = {speed.rival: speed.encode_mps for speed in result.speeds}
    return trade.trade(trade.savings(result), trade.speeds_in(report) if report else own)


def summary_of(result: BenchResult) -> str:
    """Say the most important thing in one sentence."""
    ours = next((one for one in result.bd_rates if one.rival == result.rivals[0] and one.anchor == "jpeg"), None)
    change = None if ours is None else ours.in_usual_span if ours.in_usual_span is not None else ours.of_mean_curve
    pictures = f"{len(result.pictures):,} pictures"
    if change is None:
        return f"{pictures}, {len(result.rivals)} codecs."
    less = f"{abs(change):.0f} % {'fewer' if change < 0 else 'more'} bytes than JPEG"
    return f"{pictures}, {len(result.rivals)} codecs: {result.rivals[0]} takes {less} at equal MS-SSIM."


def read_speed(path: Path) -> SpeedReport:
    """Return what `bench speed --json` wrote.

    Raises:
        UsageError: it is no such file.
    """
    from batchcomp.benchmark.speedrun import read_report

    return _parsed(path, read_report)


def read(path: Path) -> BenchResult:
    """Return what `bench curves --json` wrote.

    Raises:
        UsageError: it is no such file.
    """
    from batchcomp.benchmark.run import read_result

    return _parsed(path, read_result)


def read_all(paths: Sequence[Path]) -> BenchResult:
    """Return what several runs of `bench curves --json` wrote of the same pictures, as one.

    Raises:
        UsageError: one is no such file, or they are of other pictures.
    """
    from batchcomp.benchmark.run import merged

    results = {path: read(path) for path in paths}
    first, *others = results
    for path in others:
        if sorted(results[path].pictures) != sorted(results[first].pictures):
            raise UsageError(f"--from {path}: of other pictures than {first}; show them one by one")
    return merged(list(results.values()))


def _parsed(path: Path, parse: Callable[[str], T]) -> T:
    with reading_json(path):
        return parse(path.read_text(encoding="utf-8"))


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
