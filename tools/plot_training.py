"""Draw a training log: `python tools/plot_training.py LOG.csv CURVE.png` (needs the [bench] extra)."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

from matplotlib.figure import Figure


def plot(log: Path, out: Path) -> None:
    """Loss and dev BD-rate over hours of training."""
    with log.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    figure = Figure(figsize=(8, 4), layout="constrained")
    loss, dev = figure.subplots(1, 2)
    loss.plot([_hours(r) for r in rows], [float(r["loss"]) for r in rows], linewidth=0.8)
    loss.set(xlabel="hours", ylabel="training loss")
    scored = [r for r in rows if r["dev_bd_rate"]]
    dev.plot([_hours(r) for r in scored], [float(r["dev_bd_rate"]) for r in scored], "o-", markersize=3)
    dev.set(xlabel="hours", ylabel="dev BD-rate against JPEG (%)")
    figure.savefig(out, dpi=120)


def _hours(row: dict[str, str]) -> float:
    return float(row["seconds"]) / 3600


if __name__ == "__main__":
    plot(Path(sys.argv[1]), Path(sys.argv[2]))
