"""The log of alternating training: a CSV row for every turn, or several in a long one, and for every dev score."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from batchcomp.training.alternating import TurnLoss
from batchcomp.training.checkpoint import write_atomically
from batchcomp.training.evaluate import DevScore
from batchcomp.training.turns import Turn

MEASURED = ("loss", "mse", "bpp")  # means since the row before
SCORED = ("dev_bd_rate", "dev_psnr_gain", "dev_bpp", "seen_bd_rate")
COLUMNS = ("step", "cpu_seconds", "learning_rate", "turn", *MEASURED, *SCORED)


@dataclass(frozen=True, kw_only=True)
class TurnScores:
    """The nets on held-out photos and, in the same way, on photos that they train on."""

    dev: DevScore
    seen: DevScore

    @property
    def dev_bpp(self) -> float:
        """Mean bits per pixel of the dev set at fixed tables: grows as compact pictures become harder to code."""
        return float(self.dev.curve[:, 0].mean())


class AlternatingLog:
    """Appends to a CSV file; rows beyond a resumed checkpoint's step are dropped, since they will come again."""

    def __init__(self, path: Path, *, after_step: int, pending: Sequence[Sequence[float]] = ()) -> None:
        self.path = path
        self.pending = [list(losses) for losses in pending]  # of the steps since the last row
        rows = io.StringIO(newline="")
        csv.writer(rows).writerows([COLUMNS, *self._rows_up_to(after_step)])
        write_atomically(path, rows.getvalue().encode())

    def _rows_up_to(self, step: int) -> list[list[str]]:
        if step == 0 or not self.path.exists():
            return []
        with self.path.open(newline="", encoding="utf-8") as file:
            rows = [row for row in csv.reader(file) if len(row) == len(COLUMNS) and row[0].isdigit()]
        return [row for row in rows if int(row[0]) <= step]

    def add(self, losses: TurnLoss) -> None:
        """Take one step's losses into the next row's means."""
        parts = torch.stack([getattr(losses, "total" if name == "loss" else name).detach() for name in MEASURED])
        self.pending.append(parts.float().tolist())

    def write(self, step: int, seconds: float, learning_rate: float, turn: Turn, scores: TurnScores | None) -> float:
        """Write the means since the last row; return the mean loss, nan before the first step."""
        means = [sum(column) / len(column) for column in zip(*self.pending, strict=True)]
        self.pending.clear()
        found = (scores.dev.bd_rate, scores.dev.psnr_gain, scores.dev_bpp, scores.seen.bd_rate) if scores else ()
        cells = [f"{mean:.6g}" for mean in means] or [""] * len(MEASURED)
        dev = [f"{value:.5g}" for value in found] or [""] * len(SCORED)
        with self.path.open("a", newline="", encoding="utf-8") as file:
            csv.writer(file).writerow([step, f"{seconds:.1f}", f"{learning_rate:.3g}", turn, *cells, *dev])
        return float(means[0]) if means else float("nan")
