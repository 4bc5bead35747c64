"""`tools/plot_turns.py`."""

from __future__ import annotations

import runpy
from pathlib import Path

TOOLS = Path(__file__).parents[2] / "tools"


def test_the_turns_plot_is_drawn(tmp_path: Path) -> None:
    """Two logs of alternating training become one picture."""
    head = "step,cpu_seconds,learning_rate,turn,loss,mse,bpp,dev_bd_rate,dev_psnr_gain,dev_bpp,seen_bd_rate\n"
    rows = (
        "0,0,1e-5,rec,,,,-35,2.8,.28,-39\n20,30,5e-4,rec,.002,.002,.5,,,,\n40,60,5e-4,com,.001,.001,.5,-36,3,.3,-40\n"
    )
    logs = {name: tmp_path / f"{name}.csv" for name in ("with", "without")}
    for log in logs.values():
        log.write_text(head + rows)
    runpy.run_path(str(TOOLS / "plot_turns.py"))["plot"](tmp_path / "curve.png", logs)
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")
