"""The training log: one CSV row every few steps, with the dev score where it was measured."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from batchcomp.training.checkpoint import write_atomically
from batchcomp.training.evaluate import DevScore
from batchcomp.training.losses import Losses

COLUMNS = ("step", "seconds", "learning_rate", "loss", "ms_ssim", "mse", "bpp", "dev_bd_rate", "dev_psnr_gain")
DEV_COLUMNS = ("step", "photos", "bd_rate", "ssimulacra2_bd_rate", "psnr_gain")


class TrainingLog:
    """Appends to a CSV file; rows beyond a resumed checkpoint's step are dropped, since they will come again."""

    def __init__(self, path: Path, *, after_step: int, pending: Sequence[Sequence[float]] = ()) -> None:
        self.path = path
        self.pending = [list(losses) for losses in pending]  # of the steps since the last row
        _begin(path, COLUMNS, after_step)

    def add(self, losses: Losses) -> None:
        """Take one step's losses into the next row's mean."""
        parts = (losses.total, 1 - losses.one_minus_ms_ssim, losses.mse, losses.bpp)
        self.pending.append(torch.stack([part.detach().float() for part in parts]).tolist())

    def write(self, step: int, seconds: float, learning_rate: float, dev: DevScore | None) -> float:
        """Write the mean of the steps since the last row; return the mean loss."""
        means = [sum(column) / len(column) for column in zip(*self.pending, strict=True)]
        self.pending.clear()
        score = (f"{dev.bd_rate:.2f}", f"{dev.psnr_gain:.2f}") if dev else ("", "")
        with self.path.open("a", newline="", encoding="utf-8") as file:
            csv.writer(file).writerow(
                [step, f"{seconds:.1f}", f"{learning_rate:.3g}", *(f"{m:.6g}" for m in means), *score]
            )
        return float(means[0])


class DevLog:
    """Appends a row for each folder of photos to a CSV file; rows beyond a resumed checkpoint's step are dropped."""

    def __init__(self, path: Path, *, after_step: int) -> None:
        self.path = path
        _begin(path, DEV_COLUMNS, after_step)

    def write(self, step: int, scores: Mapping[Path, DevScore]) -> None:
        """Append the scores of one step."""
        with self.path.open("a", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(
                [
                    step,
                    folder.name,
                    f"{score.bd_rate:.2f}",
                    f"{score.ssimulacra2_bd_rate:.2f}",
                    f"{score.psnr_gain:.2f}",
                ]
                for folder, score in scores.items()
            )


def _begin(path: Path, columns: Sequence[str], after_step: int) -> None:
    """Write the header and the rows that are there already, up to a step."""
    rows = io.StringIO(newline="")
    csv.writer(rows).writerows([columns, *_rows_up_to(path, len(columns), after_step)])
    write_atomically(path, rows.getvalue().encode())


def _rows_up_to(path: Path, columns: int, step: int) -> list[list[str]]:
    if step == 0 or not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.reader(file) if len(row) == columns and row[0].isdigit()]
    return [row for row in rows if int(row[0]) <= step]
