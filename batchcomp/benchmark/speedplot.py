"""The speed plot: codecs beside each other, seconds a file over the number of files, compression against speed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from batchcomp.benchmark.plot import check_suffix, save_figure
from batchcomp.benchmark.speedrun import SpeedReport
from batchcomp.report.trade import OURS, SAVED, UNIT, TradePoint, is_ours


def plot_speed(report: SpeedReport, out: Path, trade: Sequence[TradePoint] = ()) -> None:
    """Draw the report, and below it compression against speed where that is known.

    Raises:
        UsageError: `out` has a suffix that cannot be drawn.
    """
    check_suffix(out)
    figure = Figure(figsize=(11, 9.5 if trade else 4.5), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.add_gridspec(2 if trade else 1, 3)
    bars, scaling, memory = (figure.add_subplot(grid[0, column]) for column in range(3))
    if trade:
        _trade(figure.add_subplot(grid[1, :]), trade)
    _bars(bars, report)
    _scaling(scaling, report)
    _memory(memory, report)
    save_figure(figure, out)


def _bars(axes: Axes, report: SpeedReport) -> None:
    bulk = [whole for whole in report.wholes if whole.what.startswith(("compress", "decode"))]  # single files say less
    speeds = {f"batchcomp {whole.what}": whole.working_mps(report.startup_seconds) for whole in bulk}
    speeds |= {f"{rival.name} encode": rival.encode_mps for rival in report.rivals if not rival.name.startswith("jpeg")}
    speeds |= {net.name: net.mps for net in report.nets}
    axes.barh(list(speeds), list(speeds.values()))
    axes.invert_yaxis()
    axes.set_xlabel(f"megapixels a second, {report.threads} threads")


def _trade(axes: Axes, points: Sequence[TradePoint]) -> None:
    lines: dict[str, list[TradePoint]] = {}
    for point in points:
        lines.setdefault(point.line, []).append(point)
    for name, found in lines.items():
        width = 2.5 if is_ours(name) else 1.2
        axes.plot([p.speed for p in found], [p.saved for p in found], "-o", linewidth=width, markersize=4, label=name)
    for point in points:
        name = point.name.removeprefix(f"{point.line} ")
        if name != point.line:
            ours = point.line == OURS  # lines of ours run close together: names of one below, of the other above
            axes.annotate(
                name,
                (point.speed, point.saved),
                (-4, -4) if ours else (4, 4),
                textcoords="offset points",
                fontsize="x-small",
                ha="right" if ours else "left",
                va="top" if ours else "bottom",
            )
    axes.set_xscale("log")
    axes.set_xlabel(UNIT)
    axes.set_ylabel(SAVED)
    axes.margins(x=0.08, y=0.08)
    axes.xaxis.set_major_formatter("{x:g}")
    axes.grid(visible=True, alpha=0.3)
    axes.legend(fontsize="small")


def _scaling(axes: Axes, report: SpeedReport) -> None:
    runs = report.small_files
    axes.loglog([run.files for run in runs], [1000 * run.seconds / run.files for run in runs], "-o")
    axes.set_xlabel("small files in a run")
    axes.set_ylabel("milliseconds a file, start-up included")
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter("{x:g}")
    axes.grid(visible=True, alpha=0.3)


def _memory(axes: Axes, report: SpeedReport) -> None:
    runs = [run for run in report.large_pictures if run.peak_bytes]
    axes.plot([run.megapixels for run in runs], [(run.peak_bytes or 0) / 1e9 for run in runs], "-o")
    axes.set_xlabel("megapixels of one picture")
    axes.set_ylabel("peak memory, GB")
    axes.set_ylim(bottom=0)
    axes.grid(visible=True, alpha=0.3)
