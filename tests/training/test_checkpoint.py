"""Checkpoints and the folder of a run."""

from __future__ import annotations

from pathlib import Path

import pytest
from filelock import FileLock

from batchcomp.errors import TrainingError
from batchcomp.training import checkpoint
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


def test_a_run_goes_on_that_did_not_know_a_setting_yet(photos: Path, tmp_path: Path) -> None:
    """Neither a new setting nor a new weight of the loss makes an earlier version's run another one."""
    trainer = JointTrainer(photos, tmp_path, settings())
    trainer.save()
    state = checkpoint.load(trainer.checkpoint_path)
    del state.settings["clip"], state.settings["loss"]["ssimulacra2"]
    checkpoint.save(state, trainer.checkpoint_path)
    JointTrainer(photos, tmp_path, settings())
    state.settings["loss"]["rate"] = 9.0
    checkpoint.save(state, trainer.checkpoint_path)
    with pytest.raises(TrainingError, match=r"other settings \(loss\)"):
        JointTrainer(photos, tmp_path, settings())
