"""`bench --cohorts` and `train --method alternating`, as they are typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from batchcomp.cli.cohorts import parse_cohorts
from batchcomp.codec.networks.jiang2017 import Jiang2017Architecture
from batchcomp.errors import UsageError
from batchcomp.training.data import is_dev
from tests.cli import samples
from tests.cli.conftest import Run


def save_many(folder: Path, count: int) -> list[Path]:
    paths = [folder / f"{number}.png" for number in range(count)]
    for number, path in enumerate(paths):
        samples.save(path, samples.image(176, 180, seed=number))
    return paths


def test_train_and_dev_of_one_folder_are_split_as_in_training(tmp_path: Path) -> None:
    """No picture is in both, and the dev ones are those that training held out."""
    paths = save_many(tmp_path / "photos", 30)
    found = parse_cohorts([Path(f"{name}={tmp_path / 'photos'}") for name in ("train", "dev", "test")])
    assert {path.name for path in found["dev"]} == {path.name for path in paths if is_dev(path.name)} != set()
    assert not set(found["train"]) & set(found["dev"])
    assert len(found["train"]) + len(found["dev"]) == len(found["test"]) == 30


def test_folders_of_their_own_are_taken_whole(tmp_path: Path) -> None:
    """Someone who split the photos already knows best."""
    for name in ("a", "b"):
        save_many(tmp_path / name, 3)
    found = parse_cohorts([Path(f"train={tmp_path / 'a'}"), Path(f"dev={tmp_path / 'b'}")])
    assert [len(paths) for paths in found.values()] == [3, 3]


@pytest.mark.parametrize("words", [["photos"], ["train="], ["=photos"], ["train=photos", "train=photos"], ["a=none"]])
def test_other_words_are_a_usage_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]) -> None:
    """The message says what is expected, or which folder is missing."""
    monkeypatch.chdir(tmp_path)
    save_many(tmp_path / "photos", 1)
    with pytest.raises(UsageError, match=r"NAME=FOLDER|no such folder"):
        parse_cohorts([Path(word) for word in words])


def test_the_cohort_table_from_the_command_line(run: Run, tmp_path: Path, tiny_model: Path) -> None:
    """Model, no nets, default model and JPEG at the same bytes, as a table and as JSON."""
    save_many(tmp_path / "test", 2)
    options = ("--rate", 0.7, "--jobs", 1, "--json", tmp_path / "cohorts.json", "--device", "cpu")
    result = run("bench", "--cohorts", f"test={tmp_path / 'test'}", "--model", tiny_model, *options)
    assert result.code == 0
    found = json.loads((tmp_path / "cohorts.json").read_text())
    assert found["codecs"] == ["tiny", "bicubic", "default", "jpeg"]
    assert found["rows"][0]["pictures"] == 2
    assert all(name in result.out for name in ("tiny", "bicubic", "default", "most colourful quarter"))


def test_the_options_of_one_method_are_refused_by_the_other(run: Run, tmp_path: Path) -> None:
    """Rather than being ignored."""
    result = run("train", tmp_path, "--run", "run", "--loss", "mse")
    assert result.code == 2
    assert "--loss: only --method alternating has it" in result.err


def test_alternating_training_makes_a_model_that_compresses(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its file names its family, so `compress` and `decode` take it like any other."""
    monkeypatch.setitem(Jiang2017Architecture.__init__.__kwdefaults__, "width", 4)  # 64 take half a minute
    save_many(tmp_path / "photos", 3)
    turns = ("--turns", "1,1,1", "--steps", 2, "--batch", 1, "--crop", 32)
    trained = run("train", tmp_path / "photos", "--method", "alternating", "--run", tmp_path / "run", *turns)
    assert trained.code == 0
    assert "best dev BD-rate" in trained.out
    model = tmp_path / "run/best.safetensors"
    packed = run("compress", tmp_path / "photos", "-o", "a.bca", "--model", model, "--no-measure", "--jobs", 1)
    assert packed.code == 0
    assert run("decode", "a.bca", "-o", "out", "--model", model, "--jobs", 1).code == 0
    assert sorted(path.name for path in (tmp_path / "out").rglob("*.png")) == ["0.png", "1.png", "2.png"]
