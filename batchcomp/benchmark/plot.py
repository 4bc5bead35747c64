"""The rate-distortion plot: bits per pixel against MS-SSIM in dB."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from batchcomp.benchmark.compare import MeanPoint, OnCurve
from batchcomp.errors import UsageError
from batchcomp.images.save import write_result
from batchcomp.report.trade import is_ours

SUFFIXES = (".png", ".svg")
MAX_BPP = 1.5  # shown; above it all curves crowd together
COLOURS, MARKERS = 10, "os^v"  # matplotlib's colours begin anew after so many curves: then with another marker


def plot_curves(curves: Mapping[str, Sequence[OnCurve]], out: Path, *, published: Path | None = None) -> None:
    """Draw one line a rival, ours the thickest.

    Args:
        curves: Points in order of bpp under the names for the legend.
        out: A `.png` or `.svg` to write.
        published: Curves of other people to draw dashed: JSON `{"curves": {name: {"points": [[bpp, ms_ssim], ...]}}}`.

    Raises:
        UsageError: `out` has another suffix, or `published` is no such file.
    """
    check_suffix(out)
    figure = Figure(figsize=(8, 6), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot(xlabel="bits per pixel", ylabel="MS-SSIM (dB)")
    for number, (name, curve) in enumerate(curves.items()):
        marker = MARKERS[number // COLOURS % len(MARKERS)]
        _draw(axes, name, curve, f"-{marker}", width=2.5 if is_ours(name) else 1.2)
    for name, points in read_published(published).items() if published else ():
        _draw(axes, name, points, "--", width=1)
    axes.set_xlim(0, MAX_BPP)
    axes.grid(visible=True, alpha=0.3)
    if axes.lines:
        axes.legend(fontsize="small")
    save_figure(figure, out)


def check_suffix(out: Path) -> None:
    """Refuse a file that cannot be drawn.

    Raises:
        UsageError: its suffix is another one.
    """
    if out.suffix.lower() not in SUFFIXES:
        raise UsageError(f"plot {out.name!r}: expected a name that ends in {' or '.join(SUFFIXES)}")


def read_published(path: Path) -> dict[str, list[MeanPoint]]:
    """Read curves of (bpp, MS-SSIM) points.

    Raises:
        UsageError: The file cannot be read or is not in the format that `plot_curves` states.
    """
    try:
        curves = json.loads(path.read_text(encoding="utf-8"))["curves"]
        return {
            name.rsplit("/", 1)[-1]: [
                MeanPoint(rival=name, quality=i, bpp=float(bpp), ms_ssim=float(value))
                for i, (bpp, value) in enumerate(sorted(curve["points"]))
            ]
            for name, curve in curves.items()
            if curve["points"]  # a source may list a codec without this metric
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        shape = '{"curves": {name: {"points": [[bpp, ms_ssim], ...]}}}'
        raise UsageError(f"{path}: published curves expected as {shape} ({error!r})") from error


def _draw(axes: Axes, name: str, curve: Sequence[OnCurve], style: str, *, width: float) -> None:
    shown = [(point.bpp, point.db) for point in curve if point.bpp <= MAX_BPP]
    if shown:
        axes.plot(*zip(*shown, strict=True), style, linewidth=width, markersize=3, label=name)


def save_figure(figure: Figure, out: Path) -> None:
    """Write a figure as `out`, whole or not at all. Raises FileError."""
    drawn = io.BytesIO()
    figure.savefig(drawn, format=out.suffix[1:].lower(), dpi=150)
    write_result(drawn.getvalue(), out, overwrite=True)
