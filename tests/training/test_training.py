"""Training: the differentiable JPEG, the data, the loop, resuming."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from filelock import FileLock
from PIL import Image

from batchcomp.codec import jpeg as real_jpeg
from batchcomp.codec import weights
from batchcomp.codec.networks.residual_shape import ResidualArchitecture
from batchcomp.codec.tables import COARSEST, FINEST, initial_log_tables, tables_at
from batchcomp.errors import TrainingError
from batchcomp.metrics.objective import LossWeights, ms_ssim_share, ssimulacra2_share
from batchcomp.training import jpeg_proxy
from batchcomp.training.data import CropSource, is_dev, split_folder
from batchcomp.training.evaluate import bd_rate
from batchcomp.training.joint import JointSettings, JointTrainer, draw_coarsenesses, forward
from batchcomp.training.losses import Coded, mixed_loss

TINY = ResidualArchitecture(com_width=8, com_blocks=1, rec_width=8, rec_blocks=1)


def photo(seed: int, side: int = 224) -> np.ndarray:
    """Smooth noise at several scales: has edges, texture and flat parts."""
    rng = np.random.default_rng(seed)
    layers = []
    for size, strength in ((7, 120), (28, 60), (112, 30)):
        small = Image.fromarray(rng.integers(0, 255, (size, size, 3), dtype=np.uint8))
        layers.append(strength * (np.asarray(small.resize((side, side), Image.Resampling.BICUBIC)) / 255.0 - 0.5))
    return np.clip(128 + sum(layers), 0, 255).astype(np.uint8)


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    for seed in range(3):
        Image.fromarray(photo(seed)).save(folder / f"{seed}.png")
    return folder


def settings(**values: object) -> JointSettings:
    defaults = {"steps": 4, "batch": 2, "crop": 176, "architecture": TINY, "log_every": 1, "warm_up": 1}
    return JointSettings(**{**defaults, **values})  # type: ignore[arg-type]


@pytest.mark.parametrize("coarseness", [0.5, 2.0, 8.0])
def test_the_differentiable_jpeg_is_the_real_one(coarseness: float) -> None:
    """Forward it gives libjpeg's pixels but for integer arithmetic; its bits follow the file's size."""
    pixels = photo(5, 160)
    logs = torch.from_numpy(initial_log_tables(2)).float()
    x = torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255
    decoded, bits = jpeg_proxy.jpeg(x, (logs + math.log(coarseness))[None])
    data = real_jpeg.encode(pixels, tables_at(logs.numpy(), coarseness))
    expected = real_jpeg.decode(data)[0].astype(float)
    ours = decoded[0].permute(1, 2, 0).numpy() * 255
    assert np.abs(ours - expected).mean() < 0.8  # a coefficient near one half may round the other way
    errors = [float(np.square(decoded - pixels).mean()) for decoded in (ours, expected)]
    assert errors[0] == pytest.approx(errors[1], rel=0.03)
    assert 0.6 < float(bits) / (8 * len(data)) < 1.4


def test_gradients_pass_the_differentiable_jpeg() -> None:
    """Pixels and tables both learn from what comes out."""
    x = (torch.from_numpy(photo(1, 64)).permute(2, 0, 1)[None].float() / 255).requires_grad_()
    logs = torch.from_numpy(initial_log_tables(2)).float().requires_grad_()
    decoded, bits = jpeg_proxy.jpeg(x, (logs + math.log(2.0))[None])
    (decoded.square().sum() + bits.sum()).backward()
    for gradient in (x.grad, logs.grad):
        assert gradient is not None
        assert bool(torch.isfinite(gradient).all())
        assert float(gradient.abs().sum()) > 0


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


def test_damaged_photos_are_passed_over(photos: Path, tmp_path: Path) -> None:
    """A photo that breaks off counts as absent; every run takes the same one in its place."""
    for name in ("0.png", "1.png", "2.png"):
        data = (photos / name).read_bytes()
        (tmp_path / name).write_bytes(data[: len(data) // 2] if name == "1.png" else data)
    source = CropSource(sorted(tmp_path.glob("*.png")), crop=176, batch=8, seed=0)
    assert source.batch_at(0)[0].shape == (8, 3, 176, 176)
    with pytest.raises(TrainingError, match="none of the photos"):
        CropSource([tmp_path / "1.png"], crop=176, batch=1, seed=0).batch_at(0)


def test_some_photos_are_left_to_train_on(tmp_path: Path) -> None:
    """Where chance would send every photo to the dev split, one goes there."""
    chosen = [f"{n}.png" for n in range(400) if is_dev(f"{n}.png")][:2]
    for name in chosen:
        Image.fromarray(photo(0)).save(tmp_path / name)
    split = split_folder(tmp_path, crop=176)
    assert (len(split.train), len(split.dev)) == (1, 1)


def test_two_processes_never_train_in_one_folder(photos: Path, tmp_path: Path) -> None:
    """The second is told so and changes nothing."""
    trainer = JointTrainer(photos, tmp_path, settings())
    with FileLock(tmp_path / ".lock"), pytest.raises(TrainingError, match="another process trains here"):
        trainer.train()


def losses_of(run: Path) -> list[tuple[str, str]]:
    with (run / "log.csv").open(newline="") as file:
        return [(row["step"], row["loss"]) for row in csv.DictReader(file)]


def test_a_run_of_another_architecture_is_refused(photos: Path, tmp_path: Path) -> None:
    """Resuming with other nets would mix two models."""
    JointTrainer(photos, tmp_path, settings()).save()
    with pytest.raises(TrainingError, match="architecture"):
        JointTrainer(photos, tmp_path, settings(architecture=ResidualArchitecture(com_width=16)))


def test_a_damaged_checkpoint_is_a_clear_error(photos: Path, tmp_path: Path) -> None:
    """The message names the file and says what to do."""
    (tmp_path / "checkpoint.pt").write_bytes(b"not a checkpoint")
    with pytest.raises(TrainingError, match=r"checkpoint\.pt: not a usable checkpoint.*remove it"):
        JointTrainer(photos, tmp_path, settings())


@pytest.mark.parametrize(
    ("make", "message"), [(lambda p: p / "none", "no such folder"), (lambda p: p, "0 of 0 photos")]
)
def test_too_few_photos_are_a_clear_error(tmp_path: Path, make, message: str) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    """A missing or empty folder says what training needs."""
    with pytest.raises(TrainingError, match=message):
        split_folder(make(tmp_path), crop=192)


def test_photos_that_are_too_small_are_counted(photos: Path) -> None:
    """The message says how many of how many photos are large enough."""
    with pytest.raises(TrainingError, match="0 of 3 photos have a short side of at least 256 px"):
        split_folder(photos, crop=256)


def test_train_and_dev_never_share_a_photo(photos: Path) -> None:
    """Every usable photo is in exactly one split, whatever else lies in the folder."""
    split = split_folder(photos, crop=176)
    assert not set(split.train) & set(split.dev)
    assert set(split.train) | set(split.dev) == set(photos.glob("*.png"))
    share = sum(is_dev(f"{n}.jpg") for n in range(4000)) / 4000
    assert 0.03 < share < 0.07


def test_a_step_sees_the_same_crops_whenever_it_runs(photos: Path) -> None:
    """Batches depend on seed and step alone."""
    sources = [CropSource(sorted(photos.glob("*.png")), crop=176, batch=2, seed=3) for _ in range(2)]
    direct = sources[0].batch_at(5)[0]
    streamed = {step: x for step, x, _ in sources[1].batches(4, 7)}[5]
    assert torch.equal(direct, streamed)
    assert not torch.equal(direct, sources[0].batch_at(6)[0])


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


def test_bd_rate_of_half_the_bytes_is_minus_50_percent() -> None:
    """Half the bytes at every quality is -50 %; a curve against itself is 0."""
    curve = np.array([[0.1, 0.85, 20], [0.2, 0.92, 22], [0.4, 0.96, 25], [0.8, 0.98, 28]])
    half = curve * [0.5, 1, 1]
    assert bd_rate(curve, curve) == pytest.approx(0)
    assert bd_rate(curve, half) == pytest.approx(-50)


@pytest.mark.parametrize("bad", [{"crop": 160}, {"crop": 200}, {"steps": 0}, {"batch": 0}])
def test_impossible_settings_are_refused(bad: dict[str, int]) -> None:
    """Numbers that make no run are an error at once."""
    with pytest.raises(TrainingError):
        settings(**bad)


def test_the_share_of_ms_ssim_is_full_at_the_coarsest_tables() -> None:
    """It is the fine one up to coarseness 0.7 and rises from there to the coarsest tables that there are."""
    shares = ms_ssim_share(torch.tensor([FINEST, 0.7, 0.9 * COARSEST, COARSEST]), LossWeights())
    assert shares.tolist()[:2] == pytest.approx([0.75, 0.75])
    assert 0.75 < shares[2] < shares[3]
    assert float(shares[3]) == pytest.approx(0.97)


def test_ssimulacra2_counts_at_fine_tables_alone() -> None:
    """Its share is whole up to coarseness 0.4 and gone from 1 on, falling evenly in log2 between."""
    shares = ssimulacra2_share(torch.tensor([0.15, 0.4, 0.4**0.5, 1.0, 9.0]), LossWeights(ssimulacra2=0.2))
    assert shares.tolist() == pytest.approx([0.2, 0.2, 0.1, 0, 0], abs=1e-6)


def test_what_ssimulacra2_sees_costs_at_fine_tables() -> None:
    """The gradient reaches the pictures of fine tables with the weight, and those of coarse ones without it."""
    x = torch.rand(2, 3, 192, 192, generator=torch.Generator().manual_seed(0))
    coarseness = torch.tensor([0.2, 4.0])
    slopes = []
    for share in (0.0, 0.9):
        restored = (x * 0.9 + 0.05).requires_grad_()
        coded = Coded(restored=restored, compact=x[..., ::2, ::2], bits=torch.zeros(2), coarseness=coarseness)
        losses = mixed_loss(x, coded, LossWeights(ssimulacra2=share))
        slopes.append(torch.autograd.grad(losses.total, restored)[0])
    assert torch.equal(slopes[0][1], slopes[1][1])
    assert not torch.allclose(slopes[0][0], slopes[1][0], rtol=0.1)
    assert slopes[1].isfinite().all()
