"""Draw logs of alternating training: `python tools/plot_turns.py CURVE.png NAME=LOG.csv...` (needs [bench]).

Left: the error of the first log by turn. Middle: dev BD-rate against JPEG, and that of photos trained on. Right: bytes
of the dev set's compact pictures at fixed quantisation tables, against those of the bicubic ones.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

from matplotlib.figure import Figure

NETS = {"rec": "RecCNN's turns", "com": "ComCNN's turns (no codec)"}


def plot(out: Path, logs: dict[str, Path]) -> None:
    """Draw the logs, by name."""
    runs = {name: read(log) for name, log in logs.items()}
    figure = Figure(figsize=(12, 4), layout="constrained")
    errors, scores, sizes = figure.subplots(1, 3)
    for turn, label in NETS.items():
        rows = [row for row in next(iter(runs.values())) if row["turn"] == turn and row["mse"]]
        errors.semilogy([int(r["step"]) for r in rows], [float(r["mse"]) for r in rows], label=label, linewidth=0.8)
    for name, rows in runs.items():
        scored = [row for row in rows if row["dev_bd_rate"]]
        steps = [int(row["step"]) for row in scored]
        (line,) = scores.plot(steps, [float(r["dev_bd_rate"]) for r in scored], "o-", markersize=3, label=name)
        seen = [float(r["seen_bd_rate"]) for r in scored]
        scores.plot(steps, seen, ":", color=line.get_color(), label=f"{name}, photos trained on")
        start = float(scored[0]["dev_bpp"])
        sizes.plot(steps, [100 * float(r["dev_bpp"]) / start - 100 for r in scored], "o-", markersize=3, label=name)
    errors.set(ylabel="MSE on training crops")
    scores.set(ylabel="BD-rate against JPEG (%)")
    sizes.set(ylabel="bytes over bicubic's, same tables (%)")
    for axes in (errors, scores, sizes):
        axes.set(xlabel="step")
        axes.legend(fontsize="small")
    figure.savefig(out, dpi=110)


def read(log: Path) -> list[dict[str, str]]:
    """The rows of a log, each a dictionary by column."""
    with log.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


if __name__ == "__main__":
    named = dict(word.split("=", 1) for word in sys.argv[2:])
    plot(Path(sys.argv[1]), {name: Path(log) for name, log in named.items()})
