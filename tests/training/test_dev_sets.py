"""The dev sets of a run of several folders."""

from __future__ import annotations

import csv
from pathlib import Path

from PIL import Image

from batchcomp.codec.networks.residual_shape import ResidualArchitecture
from batchcomp.training.joint import JointTrainer
from tests.training.samples import photo
from tests.training.test_joint import settings


def test_networks_train_on_several_folders(photos: Path, tmp_path: Path) -> None:
    """A folder named twice counts twice; each has a dev split, whose scores stand in dev.csv."""
    other = tmp_path / "other"
    other.mkdir()
    for seed in range(7, 10):
        Image.fromarray(photo(seed)).save(other / f"{seed}.png")
    folders = [photos, other, other]
    arch = ResidualArchitecture(com_width=8, com_blocks=1, rec_width=8, rec_blocks=1, exact=True)
    run = settings(steps=2, architecture=arch, evaluate_every=1)
    trainer = JointTrainer(folders, tmp_path / "run", run)
    assert len(trainer.source.photos) == 2 + 2 * 2
    trainer.train()
    assert JointTrainer(folders, tmp_path / "run", run).step == 2
    with (tmp_path / "run" / "dev.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["step"], row["photos"]) for row in rows] == [
        (step, folder.name) for step in "12" for folder in (photos, other)
    ]
