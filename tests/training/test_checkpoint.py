"""Checkpoints and the folder of a run."""

from __future__ import annotations

from pathlib import Path

import pytest
from filelock import FileLock

from batchcomp.errors import TrainingError
from batchcomp.training.joint import JointTrainer
from tests.training.test_joint import settings


def test_two_processes_never_train_in_one_folder(photos: Path, tmp_path: Path) -> None:
    """The second is told so and changes nothing."""
    trainer = JointTrainer(photos, tmp_path, settings())
    with FileLock(tmp_path / ".lock"), pytest.raises(TrainingError, match="another process trains here"):
        trainer.train()


def test_a_damaged_checkpoint_is_a_clear_error(photos: Path, tmp_path: Path) -> None:
    """The message names the file and says what to do."""
    (tmp_path / "checkpoint.pt").write_bytes(b"not a checkpoint")
    with pytest.raises(TrainingError, match=r"checkpoint\.pt: not a usable checkpoint.*remove it"):
        JointTrainer(photos, tmp_path, settings())
