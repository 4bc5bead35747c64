"""`tools/plot_training.py`."""

from __future__ import annotations

import runpy
from pathlib import Path

TOOLS = Path(__file__).parents[2] / "tools"


def test_the_training_plot_is_drawn(tmp_path: Path) -> None:
    """A log of a few rows becomes a picture."""
    log = tmp_path / "log.csv"
    log.write_text("step,seconds,loss,dev_bd_rate\n50,30,-3.5,\n100,60,-3.6,-20.5\n150,90,-3.7,-30\n")
    runpy.run_path(str(TOOLS / "plot_training.py"))["plot"](log, tmp_path / "curve.png")
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")
