"""The log of joint training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from batchcomp.training.evaluate import DevScore
from batchcomp.training.log import DevLog, TrainingLog
from batchcomp.training.losses import Losses


def losses(total: float) -> Losses:
    parts = [torch.tensor(value) for value in (total, 0.25, 0.5, 1.5)]
    return Losses(total=parts[0], one_minus_ms_ssim=parts[1], mse=parts[2], bpp=parts[3])


def test_a_row_holds_the_means_since_the_last_one(tmp_path: Path) -> None:
    """And a resumed run drops the rows that will come again."""
    path = tmp_path / "log.csv"
    log = TrainingLog(path, after_step=0)
    for total in (1.0, 3.0):
        log.add(losses(total))
    assert log.write(2, 1.5, 1e-3, None) == 2.0
    log.add(losses(5.0))
    log.write(3, 2.0, 1e-3, None)
    assert path.read_text().splitlines()[1:] == ["2,1.5,0.001,2,0.75,0.5,1.5,,", "3,2.0,0.001,5,0.75,0.5,1.5,,"]
    TrainingLog(path, after_step=2)
    assert len(path.read_text().splitlines()) == 2


def test_each_folder_of_photos_has_a_row(tmp_path: Path) -> None:
    """And a resumed run drops those that will come again."""
    path = tmp_path / "dev.csv"
    score = DevScore(bd_rate=-40.0, ssimulacra2_bd_rate=9.5, psnr_gain=1.0, curve=np.zeros((1, 4)))
    log = DevLog(path, after_step=0)
    for step in (1, 2):
        log.write(step, {Path("a/sea"): score, Path("a/hills"): score})
    assert path.read_text().splitlines()[1:3] == ["1,sea,-40.00,9.50,1.00", "1,hills,-40.00,9.50,1.00"]
    DevLog(path, after_step=1)
    assert len(path.read_text().splitlines()) == 3
