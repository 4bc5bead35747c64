"""The speed plot: codecs beside each other, and seconds a file over the number of files."""

from __future__ import annotations

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from batchcomp.benchmark.plot import check_suffix, save_figure
from batchcomp.benchmark.speedrun import SpeedReport


def plot_speed(report: SpeedReport, out: Path) -> None:
    """Draw the report.

    Raises:
        UsageError: `out` has a suffix that cannot be drawn.
    """
    check_suffix(out)
    figure = Figure(figsize=(11, 4.5), layout="constrained")
    FigureCanvasAgg(figure)
    bars, scaling, memory = figure.subplots(1, 3)
    _bars(bars, report)
    _scaling(scaling, report)
    _memory(memory, report)
    save_figure(figure, out)


def _bars(axes: Axes, report: SpeedReport) -> None:
    speeds = {f"batchcomp {whole.what}": whole.working_mps(report.startup_seconds) for whole in report.wholes}
    speeds |= {f"{rival.name} encode": rival.encode_mps for rival in report.rivals if not rival.name.startswith("jpeg")}
    speeds |= {net.name: net.mps for net in report.nets}
    axes.barh(list(speeds), list(speeds.values()))
    axes.invert_yaxis()
    axes.set_xlabel(f"megapixels a second, {report.threads} threads")


def _scaling(axes: Axes, report: SpeedReport) -> None:
    runs = report.small_files
    axes.loglog([run.files for run in runs], [1000 * run.seconds / run.files for run in runs], "-o")
    axes.set_xlabel("small files in a run")
    axes.set_ylabel("milliseconds a file, start-up included")
    axes.grid(visible=True, alpha=0.3)


def _memory(axes: Axes, report: SpeedReport) -> None:
    runs = [run for run in report.large_pictures if run.peak_bytes]
    axes.plot([run.megapixels for run in runs], [(run.peak_bytes or 0) / 1e9 for run in runs], "-o")
    axes.set_xlabel("megapixels of one picture")
    axes.set_ylabel("peak memory, GB")
    axes.set_ylim(bottom=0)
    axes.grid(visible=True, alpha=0.3)
