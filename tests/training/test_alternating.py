"""Alternating training: whose weights move, where gradients go, where it starts, how it resumes."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional

from batchcomp.codec import jpeg, weights
from batchcomp.codec.networks.jiang2017 import Jiang2017Architecture, Jiang2017Network
from batchcomp.codec.resample import downscale, upscale
from batchcomp.errors import TrainingError
from batchcomp.training import alternating, alternating_run
from batchcomp.training.alternating import com_turn, distance, rec_turn, through_codec
from batchcomp.training.alternating_run import AlternatingSettings, AlternatingTrainer, TurnProgress
from batchcomp.training.turns import Turn, Turns
from tests.training.test_training import photo

TINY = Jiang2017Architecture(width=8, layers=4)
COARSENESSES = torch.tensor([1.0, 4.0])


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    for seed in range(3):
        Image.fromarray(photo(seed)).save(folder / f"{seed}.png")
    return folder


@pytest.fixture
def workers() -> Iterator[Executor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


@pytest.fixture
def x() -> torch.Tensor:
    """Return two photos (2, 3, 48, 64) in [0, 1]."""
    crops = np.stack([photo(seed)[:48, :64] for seed in (0, 1)])
    return torch.from_numpy(crops).permute(0, 3, 1, 2).float() / 255


def lively(seed: int = 0) -> Jiang2017Network:
    """Nets in training whose every layer matters: none starts at zero."""
    torch.manual_seed(seed)
    network = Jiang2017Network(TINY, normalised=True)
    for net in (network.com, network.rec):
        torch.nn.init.normal_(net.last.weight, std=0.05)
    return network


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


def test_the_start_is_bicubic_and_jpeg_exactly() -> None:
    """Untrained, compact picture and restored picture are the bicubic ones to the last bit, through a real file."""
    torch.manual_seed(1)
    network = Jiang2017Network(TINY, normalised=True).eval()
    x = torch.from_numpy(photo(4)[:96, :128].copy()).permute(2, 0, 1)[None].float() / 255
    with torch.no_grad():
        compact = network.com(x)
        assert torch.equal(compact, downscale(x, 2))
        pixels = (compact[0].clamp(0, 1) * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()
        decoded = jpeg.decode(jpeg.encode(pixels, network.tables_at(2.0)))[0]
        y = torch.from_numpy(decoded).permute(2, 0, 1)[None].float() / 255
        bicubic = functional.interpolate(y, scale_factor=2, mode="bicubic", align_corners=False)
        assert torch.equal(network.rec(y), bicubic)
        assert torch.equal(network.fused().rec(y), bicubic)


def test_a_gradient_reaches_the_zero_layer(x: torch.Tensor, workers: Executor) -> None:
    """Zero in the last layer is a start, not a trap: the first step moves both nets away from bicubic."""
    torch.manual_seed(1)
    network = Jiang2017Network(TINY, normalised=True)
    rec_turn(network, x, COARSENESSES, "mse", workers).total.backward()
    com_turn(network, x, COARSENESSES, "mse", 0.0).total.backward()
    for net in (network.com, network.rec):
        assert float(net.last.weight.grad.abs().sum()) > 0  # type: ignore[union-attr]


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


def test_the_gradient_of_comcnn_passes_no_codec(x: torch.Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is that of the picture restored without a codec, and neither codec, real or differentiable, shapes it."""

    def forbidden(*_: object) -> None:
        raise AssertionError("the real codec ran in ComCNN's turn")

    monkeypatch.setattr(jpeg, "encode", forbidden)
    monkeypatch.setattr(alternating, "through_codec", forbidden)
    gradients = []
    for _ in range(2):
        network = lively().eval()
        network.rec.requires_grad_(requires_grad=False)
        restored = network.rec(network.com(x).clamp(0, 1))
        (restored - x).square().mean().backward()
        expected = [p.grad.clone() for p in network.com.parameters() if p.grad is not None]
        network.zero_grad()
        com_turn(network, x, COARSENESSES, "mse", rate=0.0).total.backward()
        gradients = [p.grad for p in network.com.parameters() if p.grad is not None]
        assert all(torch.allclose(a, b) for a, b in zip(gradients, expected, strict=True))
        assert all(p.grad is None for p in network.rec.parameters())
    assert gradients
    assert any(float(g.abs().sum()) > 0 for g in gradients)


def test_the_gradient_of_reccnn_stops_at_the_codec(x: torch.Tensor, workers: Executor) -> None:
    """In RecCNN's turn ComCNN only delivers."""
    network = lively()
    rec_turn(network, x, COARSENESSES, "mse", workers).total.backward()
    assert all(p.grad is None for p in network.com.parameters())
    assert all(p.grad is not None for p in network.rec.parameters())


def test_the_loss_of_reccnn_is_on_the_residual(x: torch.Tensor, workers: Executor) -> None:
    """MSE between RecCNN's output and original - decoded, upscaled compact picture, as the method says."""
    network = lively()
    loss = rec_turn(network, x, COARSENESSES, "mse", workers)
    with torch.no_grad():
        upscaled = upscale(through_codec(network.com(x), COARSENESSES, network.tables_at, workers), 2)
        expected = functional.mse_loss(network.rec.residual(upscaled), x - upscaled)
    assert float(loss.total.detach()) == pytest.approx(float(expected), rel=1e-5)


def test_the_codec_of_training_is_the_real_one(x: torch.Tensor, workers: Executor) -> None:
    """Each picture comes back as its own JPEG file holds it, in order, at its own coarseness."""
    network = lively()
    decoded = through_codec(x, COARSENESSES, network.tables_at, workers)
    for picture, coarseness, found in zip(x, COARSENESSES.tolist(), decoded, strict=True):
        pixels = (picture * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()
        expected = jpeg.decode(jpeg.encode(pixels, network.tables_at(coarseness)))[0]
        assert np.array_equal((found * 255).round().permute(1, 2, 0).numpy(), expected)


def test_the_rate_term_pulls_towards_fewer_bits(x: torch.Tensor) -> None:
    """Learning with it, ComCNN comes to cheaper compact pictures than without."""
    bpp = {}
    for rate in (0.0, 10.0):
        network = lively()
        optimiser = torch.optim.Adam(network.com.parameters(), lr=1e-3)
        for _ in range(30):
            optimiser.zero_grad()
            com_turn(network, x, COARSENESSES, "mse", rate).total.backward()
            optimiser.step()
        bpp[rate] = float(com_turn(network, x, COARSENESSES, "mse", rate).bpp.detach())
    assert bpp[10.0] < 0.9 * bpp[0.0]


@pytest.mark.parametrize("loss", ["mse", "ms-ssim", "mixed"])
def test_every_loss_is_least_for_the_picture_itself(loss: alternating.LossName) -> None:
    """And grows with the error."""
    x = torch.from_numpy(photo(2)[:176, :176].copy()).permute(2, 0, 1)[None].float() / 255
    noise = torch.from_numpy(np.random.default_rng(0).normal(size=x.shape)).float()
    near, far = (float(distance(x + strength * noise, x, loss)) for strength in (0.02, 0.1))
    assert float(distance(x, x, loss)) < near < far


def test_turns_follow_their_schedule() -> None:
    """RecCNN alone first, then both in turns, ComCNN beginning."""
    turns = Turns.parse("3,2,1")
    assert [turns.at(step) for step in range(9)] == ["rec"] * 3 + ["com", "com", "rec", "com", "com", "rec"]
    assert Turns.parse(str(turns)) == turns
    assert {Turns(com=0).at(step) for step in range(500)} == {"rec"}


@pytest.mark.parametrize("text", ["", "1,2", "1,2,3,4", "1,2,x", "-1,2,3", "1,1,0"])
def test_impossible_turns_are_refused(text: str) -> None:
    """The message says what is expected."""
    with pytest.raises(TrainingError, match="FIRST,COM,REC"):
        Turns.parse(text)


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


def test_the_log_tells_the_turns(photos: Path, tmp_path: Path) -> None:
    """A row ends with its turn, every `log_every` steps and with every dev score; the first is where it starts."""
    AlternatingTrainer(photos, tmp_path, settings()).train()
    rows = columns_of(tmp_path, "step", "turn", "dev_bd_rate")
    assert [(step, turn) for step, turn, _ in rows] == [
        ("0", "rec"), ("2", "rec"), ("3", "com"), ("4", "com"), ("5", "rec"), ("6", "com"), ("7", "com"), ("8", "rec"),
    ]  # fmt: skip
    assert [step for step, _, score in rows if score] == ["0", "4", "8"]


def test_the_best_model_is_used_as_it_was_scored(photos: Path, tmp_path: Path) -> None:
    """`best.safetensors` holds the nets folded, in 16 bits, and scores what the log says."""
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
