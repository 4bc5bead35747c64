"""`train joint`, as it is typed."""

from __future__ import annotations

from pathlib import Path

from tests.cli import samples
from tests.cli.conftest import Run


def test_train_makes_a_model_that_compresses(run: Run, tmp_path: Path) -> None:
    """Two steps on two photos write a checkpoint, a log and, once scored, a model that --model takes."""
    for seed in range(2):
        samples.save(tmp_path / "photos" / f"{seed}.png", samples.image(180, 180, seed=seed))
    options = ("--run", tmp_path / "run", "--batch", 1, "--crop", 176, "--threads", 1)
    result = run("train", "joint", tmp_path / "photos", "--steps", 2, *options)
    assert result.code == 0, result.err
    assert result.err == ""  # progress is for terminals
    assert "best.safetensors" in result.out
    model = tmp_path / "run" / "best.safetensors"
    assert (tmp_path / "run" / "checkpoint.pt").is_file()
    assert (tmp_path / "run" / "log.csv").is_file()
    assert run("compress", tmp_path / "photos" / "0.png", "--no-measure", "--model", model).code == 0


def test_train_needs_photos(run: Run) -> None:
    """Too few or too small photos are counted and explained."""
    samples.save(Path("photos/small.png"))
    result = run("train", "joint", "photos", "--run", "run")
    assert result.code == 1
    assert "0 of 1 photos have a short side of at least 256 px" in result.err


def test_several_folders_are_trained_on(run: Run, tmp_path: Path) -> None:
    """Each has its dev scores; the shape may be any that is offered."""
    for seed, folder in enumerate(("sea", "sea", "hills", "hills")):
        samples.save(tmp_path / folder / f"{seed}.png", samples.image(180, 180, seed=seed))
    options = ("--run", tmp_path / "run", "--batch", 1, "--crop", 176, "--threads", 1, "--shape", "full-size")
    result = run("train", "joint", tmp_path / "sea", tmp_path / "hills", "--steps", 1, *options)
    assert result.code == 0, result.err
    assert [row.split(",")[1] for row in (tmp_path / "run" / "dev.csv").read_text().splitlines()[1:]] == [
        "sea",
        "hills",
    ]


def test_a_model_of_another_family_is_no_start(run: Run) -> None:
    """The baseline's networks cannot be trained through the differentiable JPEG."""
    result = run("train", "joint", "photos", "--run", "run", "--start", "jiang2017")
    assert result.code == 2
    assert "--start jiang2017" in result.err


def test_an_untrained_comcnn_does_not_stay_so(run: Run) -> None:
    """RecCNN alone learns only beside a trained one."""
    result = run("train", "joint", "photos", "--run", "run", "--decoder-only")
    assert result.code == 2
    assert "--decoder-only" in result.err
    assert "--start" in result.err
