"""The plot of curves."""

from __future__ import annotations

from pathlib import Path

import pytest

from batchcomp.benchmark.plot import plot_curves
from batchcomp.errors import UsageError
from tests.benchmark.samples import curve


@pytest.mark.parametrize("suffix", [".png", ".svg"])
def test_plot_with_published_curves(tmp_path: Path, suffix: str) -> None:
    """Curves of others are drawn too, as PNG or SVG, and nothing is left behind."""
    published = tmp_path / "published.json"
    published.write_text('{"curves": {"set/vvc": {"points": [[0.1, 0.9], [0.5, 0.97]]}}}')
    out = tmp_path / f"plot{suffix}"
    plot_curves({"batchcomp": curve(0.5), "jpeg": curve()}, out, published=published)
    assert out.stat().st_size > 1000
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([out.name, published.name])


def test_plot_refuses_other_files(tmp_path: Path) -> None:
    """Another suffix, and a file without curves, are usage errors."""
    with pytest.raises(UsageError, match=r"ends in \.png or \.svg"):
        plot_curves({}, tmp_path / "plot.gif")
    broken = tmp_path / "published.json"
    broken.write_text("[1]")
    with pytest.raises(UsageError, match=r"published\.json: published curves expected"):
        plot_curves({}, tmp_path / "plot.png", published=broken)
