"""A run of alternating training: how it resumes, stops, and what it keeps."""

from __future__ import annotations

import csv
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path

import pytest
import torch

from batchcomp.codec import weights
from batchcomp.codec.networks.jiang2017 import Jiang2017Architecture
from batchcomp.errors import TrainingError
from batchcomp.training import alternating_run
from batchcomp.training.alternating import through_codec
from batchcomp.training.alternating_run import AlternatingSettings, AlternatingTrainer, TurnProgress
from batchcomp.training.turns import Turn, Turns
from tests.training.test_alternating import COARSENESSES, lively

TINY = Jiang2017Architecture(width=8, layers=4)


def settings(**values: object) -> AlternatingSettings:
    defaults = {
        "steps": 8,
        "batch": 2,
        "turns": Turns(first=2, com=2, rec=1),
        "architecture": TINY,
        "warm_up": 1,
        "evaluate_every": 4,
        "log_every": 3,
    }
    return AlternatingSettings(**{**defaults, **values})  # type: ignore[arg-type]


@pytest.mark.parametrize("turn", ["rec", "com"])
def test_a_step_changes_only_the_net_whose_turn_it_is(photos: Path, tmp_path: Path, turn: Turn) -> None:
    """Weights, and the running statistics of the batch normalisation too."""
    turns = Turns(first=9) if turn == "rec" else Turns(first=0, com=1, rec=1)
    trainer = AlternatingTrainer(photos, tmp_path, settings(turns=turns))
    trainer.network.load_state_dict(lively().state_dict())
    before = {key: value.clone() for key, value in trainer.network.state_dict().items()}
    with ThreadPoolExecutor(2) as workers:
        trainer.learn(*trainer.source.batch_at(0), workers)
    changed = {key for key, value in trainer.network.state_dict().items() if not torch.equal(value, before[key])}
    assert {key.split(".")[0] for key in changed} == {turn}
    assert changed >= {f"{turn}.first.weight", f"{turn}.last.weight"}
    assert (f"{turn}.norms.0.running_mean" in changed) == (turn == "rec")


def columns_of(run: Path, *names: str) -> list[list[str]]:
    with (run / "log.csv").open(newline="") as file:
        return [[row[name] for name in names] for row in csv.DictReader(file)]


def test_a_killed_run_resumes_to_the_same_curve(photos: Path, tmp_path: Path) -> None:
    """Eight steps in one go, or a death in the middle of a turn: the same weights, optimisers, log and best model."""
    whole = AlternatingTrainer(photos, tmp_path / "whole", settings())
    whole.train()

    first = AlternatingTrainer(photos, tmp_path / "parts", settings())

    def die(progress: TurnProgress) -> None:
        if progress.step == 3:  # one step into ComCNN's turn of two
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        first.train(die)
    second = AlternatingTrainer(photos, tmp_path / "parts", settings())
    assert second.step == 3
    second.train()
    for key, value in whole.network.state_dict().items():
        assert torch.equal(value, second.network.state_dict()[key]), key
    for turn, optimiser in whole.optimisers.items():
        states = optimiser.state_dict()["state"], second.optimisers[turn].state_dict()["state"]
        assert all(torch.equal(states[0][n]["exp_avg"], states[1][n]["exp_avg"]) for n in states[0])
    curve = ("step", "learning_rate", "turn", "loss", "mse", "bpp", "dev_bd_rate", "dev_bpp", "seen_bd_rate")
    assert columns_of(tmp_path / "whole", *curve) == columns_of(tmp_path / "parts", *curve)
    assert (tmp_path / "whole/best.safetensors").read_bytes() == (tmp_path / "parts/best.safetensors").read_bytes()


def test_the_best_model_is_used_as_it_was_scored(photos: Path, tmp_path: Path) -> None:
    """`best.safetensors` holds the nets fused, in 16 bits, and scores what the log says."""
    trainer = AlternatingTrainer(photos, tmp_path, settings())
    trainer.train()
    model = weights.load_file(trainer.best_path)
    assert model.network.arch == TINY
    assert trainer.dev.score(model.network).bd_rate == trainer.best
    assert f"{trainer.best:.5g}" in [score for (score,) in columns_of(tmp_path, "dev_bd_rate")]


def test_training_stops_when_the_dev_score_does(photos: Path, tmp_path: Path) -> None:
    """Without a better score for `patience` evaluations it ends, and stays ended when run again."""
    ruinous = settings(steps=400, evaluate_every=1, patience=2, learning_rate=1.0, clip=100.0, turns=Turns(first=400))
    for _ in range(2):
        trainer = AlternatingTrainer(photos, tmp_path, ruinous)
        trainer.train()
        assert trainer.stopped_early
        assert trainer.step < 20


def test_training_learns_something(photos: Path, tmp_path: Path, workers: Executor) -> None:
    """Some steps on three pictures bring RecCNN below bicubic + JPEG on its own crops."""
    slow = settings(steps=150, evaluate_every=1000, turns=Turns(first=200), learning_rate=3e-3)
    trainer = AlternatingTrainer(photos, tmp_path, slow)
    crops, _ = trainer.source.batch_at(0)

    def error() -> float:
        network = trainer.network.fused()
        decoded = through_codec(network.com(crops), COARSENESSES, network.tables_at, workers)
        return float((network.rec(decoded) - crops).square().mean())

    before = error()
    trainer.train()
    assert error() < 0.97 * before


@pytest.mark.parametrize("other", [{"seed": 9}, {"rate": 0.5}, {"loss": "mixed", "crop": 176}, {"turns": Turns()}])
def test_resuming_with_other_settings_is_refused(photos: Path, tmp_path: Path, other: dict[str, object]) -> None:
    """A run goes on as it began; only steps, patience and how often it reports may change."""
    AlternatingTrainer(photos, tmp_path, settings()).save()
    with pytest.raises(TrainingError, match=r"other settings"):
        AlternatingTrainer(photos, tmp_path, settings(**other))
    assert AlternatingTrainer(photos, tmp_path, settings(steps=9, patience=2)).settings.steps == 9


@pytest.mark.parametrize(
    "bad",
    [{"crop": 40}, {"crop": 16}, {"crop": 96, "loss": "ms-ssim"}, {"loss": "psnr"}, {"steps": 0}, {"rate": -1.0}],
)
def test_impossible_settings_are_refused(bad: dict[str, object]) -> None:
    """Numbers that make no run are an error at once."""
    with pytest.raises(TrainingError):
        settings(**bad)


def test_a_run_of_the_other_method_is_refused(photos: Path, tmp_path: Path) -> None:
    """A folder holds one run; the checkpoint of the other method is named as other settings."""
    from batchcomp.codec.networks.residual_shape import ResidualArchitecture  # noqa: PLC0415
    from batchcomp.training.joint import JointSettings, JointTrainer  # noqa: PLC0415

    small = ResidualArchitecture(com_width=8, com_blocks=1, rec_width=8, rec_blocks=1)
    JointTrainer(photos, tmp_path, JointSettings(architecture=small)).save()
    with pytest.raises(TrainingError, match="other settings"):
        AlternatingTrainer(photos, tmp_path, settings())


def test_the_dev_set_is_small(photos: Path) -> None:
    """RecCNN works at full resolution: scoring must not cost more than the training."""
    assert all(
        max(crop.shape[:2]) <= alternating_run.SCORED_SIDE for crop in alternating_run.scored([*photos.iterdir()]).crops
    )
