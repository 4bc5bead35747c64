"""Small networks learn from larger ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from batchcomp.codec.networks.residual import ResidualNetwork
from batchcomp.codec.networks.steered import SteeredNetwork
from batchcomp.codec.networks.steered_shape import SteeredArchitecture
from batchcomp.training.data import CropSource
from batchcomp.training.distil import Distillation, distil
from tests.training.test_joint import TINY


def test_distillation_brings_a_small_net_to_a_large_one(photos: Path) -> None:
    """A few dozen steps bring the student's pictures nearer to the teacher's; tables are the teacher's."""
    torch.manual_seed(0)
    teacher, student = ResidualNetwork(TINY), SteeredNetwork(SteeredArchitecture(width=8, body_width=8))
    with torch.no_grad():
        for value in teacher.parameters():
            value.add_(0.05 * torch.randn_like(value))
    source = CropSource(sorted(photos.glob("*.png")), crop=176, batch=2, seed=0)
    losses: list[float] = []
    distil(student, teacher, source, Distillation(steps=40), lambda _, loss: losses.append(loss))
    assert np.mean(losses[-5:]) < np.mean(losses[:5]) - 0.5
    assert torch.equal(student.log_tables, teacher.log_tables)
