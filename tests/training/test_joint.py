"""Joint training: what it learns, how it resumes."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from batchcomp.codec import weights
from batchcomp.codec.networks import untrained
from batchcomp.codec.networks.residual_shape import ResidualArchitecture
from batchcomp.errors import TrainingError
from batchcomp.metrics.objective import LossWeights
from batchcomp.training.joint import JointSettings, JointTrainer, draw_coarsenesses, forward

TINY = ResidualArchitecture(com_width=8, com_blocks=1, rec_width=8, rec_blocks=1)


def settings(**values: object) -> JointSettings:
    defaults = {"steps": 4, "batch": 2, "crop": 176, "architecture": TINY, "log_every": 1, "warm_up": 1}
    return JointSettings(**{**defaults, **values})  # type: ignore[arg-type]


def test_training_learns_something_on_two_pictures(photos: Path, tmp_path: Path) -> None:
    """A few dozen steps of tiny nets bring the loss on their own crops down."""
    trainer = JointTrainer(photos, tmp_path, settings(steps=60, learning_rate=3e-3))
    x, _ = trainer.source.batch_at(0)
    coarseness = torch.tensor([1.0, 4.0])
    with torch.no_grad():
        before = float(forward(trainer.network, x, coarseness, LossWeights()).total)
    trainer.train()
    with torch.no_grad():
        after = float(forward(trainer.network, x, coarseness, LossWeights()).total)
    assert after < before - 0.02
    assert weights.load_file(tmp_path / "best.safetensors").network.arch == TINY


def test_a_killed_run_resumes_exactly(photos: Path, tmp_path: Path) -> None:
    """Four steps in one go, or two, a death and two more: the same weights, average and log to the last bit."""
    whole = JointTrainer(photos, tmp_path / "whole", settings())
    whole.train()

    def die(progress: object) -> None:
        if progress.step == 2:  # type: ignore[attr-defined]
            raise KeyboardInterrupt

    first = JointTrainer(photos, tmp_path / "parts", settings())
    with pytest.raises(KeyboardInterrupt):
        first.train(die)
    second = JointTrainer(photos, tmp_path / "parts", settings())
    assert second.step == 2
    second.train()
    for one, two in ((whole.network, second.network), (whole.ema, second.ema)):
        for a, b in zip(one.parameters(), two.parameters(), strict=True):
            assert torch.equal(a, b)
    assert losses_of(tmp_path / "whole") == losses_of(tmp_path / "parts")


def test_a_run_killed_between_log_rows_logs_the_same(photos: Path, tmp_path: Path) -> None:
    """The losses since the last row are part of the checkpoint."""
    whole = JointTrainer(photos, tmp_path / "whole", settings(log_every=4))
    whole.train()
    first = JointTrainer(photos, tmp_path / "parts", settings(log_every=4))
    for step in range(3):
        first.learn(*first.source.batch_at(step))
    first.save()
    JointTrainer(photos, tmp_path / "parts", settings(log_every=4)).train()
    assert losses_of(tmp_path / "whole") == losses_of(tmp_path / "parts") != []


def test_a_step_torn_by_an_interruption_is_not_saved(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Weights that moved without their step being counted would make the resumed run another one."""
    trainer = JointTrainer(photos, tmp_path, settings())

    def interrupt() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(trainer, "_average", interrupt)
    with pytest.raises(KeyboardInterrupt):
        trainer.train()
    assert not trainer.checkpoint_path.exists()


@pytest.mark.parametrize("other", [{"seed": 9}, {"batch": 1}, {"learning_rate": 1e-4}])
def test_resuming_with_other_settings_is_refused(photos: Path, tmp_path: Path, other: dict[str, float]) -> None:
    """A run goes on as it began; only the number of steps may change."""
    JointTrainer(photos, tmp_path, settings()).save()
    with pytest.raises(TrainingError, match=rf"other settings \({next(iter(other))}\)"):
        JointTrainer(photos, tmp_path, settings(**other))
    assert JointTrainer(photos, tmp_path, settings(steps=9)).settings.steps == 9


def test_a_run_on_other_photos_is_refused(photos: Path, tmp_path: Path) -> None:
    """With another set of photos the same step would see other crops."""
    JointTrainer(photos, tmp_path / "run", settings()).save()
    fewer = tmp_path / "fewer"
    fewer.mkdir()
    for name in ("0.png", "1.png"):
        (fewer / name).write_bytes((photos / name).read_bytes())
    with pytest.raises(TrainingError, match="other photos"):
        JointTrainer(fewer, tmp_path / "run", settings())


def test_a_lost_best_model_is_made_again(photos: Path, tmp_path: Path) -> None:
    """Without its file, the best score so far counts for nothing."""
    trainer = JointTrainer(photos, tmp_path, settings(steps=1))
    trainer.train()
    trainer.best_path.unlink()
    again = JointTrainer(photos, tmp_path, settings(steps=2))
    again.train()
    assert again.best_path.exists()


def losses_of(run: Path) -> list[tuple[str, str]]:
    with (run / "log.csv").open(newline="") as file:
        return [(row["step"], row["loss"]) for row in csv.DictReader(file)]


def test_a_run_of_another_architecture_is_refused(photos: Path, tmp_path: Path) -> None:
    """Resuming with other nets would mix two models."""
    JointTrainer(photos, tmp_path, settings()).save()
    with pytest.raises(TrainingError, match="architecture"):
        JointTrainer(photos, tmp_path, settings(architecture=ResidualArchitecture(com_width=16)))


def test_coarsenesses_cover_the_range() -> None:
    """Draws are stratified: each batch holds fine and coarse ones."""
    drawn = draw_coarsenesses(np.random.default_rng(0), 6)
    assert float(drawn.min()) >= 0.25
    assert float(drawn.max()) <= 9
    assert float(drawn[0]) < 0.5
    assert float(drawn[-1]) > 4


def test_learning_rate_warms_up_stays_and_falls() -> None:
    """Flat for the first part, then down to its last share."""
    s = settings(steps=1000, warm_up=100, learning_rate=1.0)
    assert s.rate_at(0) == pytest.approx(0.01)
    assert s.rate_at(500) == 1.0
    assert s.rate_at(999) < 0.05


@pytest.mark.parametrize("bad", [{"crop": 160}, {"crop": 200}, {"steps": 0}, {"batch": 0}])
def test_impossible_settings_are_refused(bad: dict[str, int]) -> None:
    """Numbers that make no run are an error at once."""
    with pytest.raises(TrainingError):
        settings(**bad)


def test_a_floating_network_goes_on_as_an_exact_one(photos: Path, tmp_path: Path) -> None:
    """Its grids are fitted when the run begins, and stay; the running average has them too."""
    start, exact = untrained(TINY), replace(TINY, exact=True)
    trainer = JointTrainer(photos, tmp_path / "run", settings(architecture=exact), start=start)
    grids = {k: float(v) for k, v in trainer.network.state_dict().items() if k.endswith("grid.exponent")}
    assert len(set(grids.values())) > 1
    trainer.train()
    for network in (trainer.network, trainer.ema, weights.load_file(trainer.best_path).network):
        assert {k: float(v) for k, v in network.state_dict().items() if k.endswith("grid.exponent")} == grids


def test_recnn_alone_can_learn(photos: Path, tmp_path: Path) -> None:
    """What is stored stays as it was: ComCNN and the tables do not move, nor does a resumed run forget it."""
    start = untrained(TINY)
    trainer = JointTrainer(photos, tmp_path / "run", settings(decoder_only=True, table_gain=5.0), start=start)
    trainer.train()
    trainer = JointTrainer(photos, tmp_path / "run", settings(decoder_only=True, table_gain=5.0, steps=6))
    assert trainer.step == 4
    trainer.train()
    moved = {
        name
        for (name, value), before in zip(trainer.network.state_dict().items(), start.state_dict().values(), strict=True)
        if not torch.equal(value, before)
    }
    assert moved
    assert all(name.startswith("rec.") for name in moved)
