"""`train alternating`, as it is typed."""

from __future__ import annotations

from pathlib import Path

import pytest

from batchcomp.codec.networks.jiang2017 import Jiang2017Architecture
from tests.cli import samples
from tests.cli.conftest import Run


def test_the_trained_model_compresses(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The model file names its family, so `compress` and `decode` take it like any other."""
    monkeypatch.setitem(Jiang2017Architecture.__init__.__kwdefaults__, "width", 4)  # 64 take half a minute
    for number in range(3):
        samples.save(tmp_path / "photos" / f"{number}.png", samples.image(176, 180, seed=number))
    turns = ("--turns", "1,1,1", "--steps", 2, "--batch", 1, "--crop", 32)
    trained = run("train", "alternating", tmp_path / "photos", "--run", tmp_path / "run", *turns)
    assert trained.code == 0
    assert "best dev BD-rate" in trained.out
    model = tmp_path / "run/best.safetensors"
    packed = run("compress", tmp_path / "photos", "-o", "a.bca", "--model", model, "--no-measure", "--jobs", 1)
    assert packed.code == 0
    assert run("decode", "a.bca", "-o", "out", "--model", model, "--jobs", 1).code == 0
    assert sorted(path.name for path in (tmp_path / "out").rglob("*.png")) == ["0.png", "1.png", "2.png"]


@pytest.mark.parametrize(
    ("options", "crop", "batch"),
    [([], 48, 8), (["--loss", "ms-ssim"], 176, 2), (["--loss", "mixed", "--batch", "3"], 176, 3)],
)
def test_ms_ssim_gets_large_crops(
    run: Run, monkeypatch: pytest.MonkeyPatch, options: list[str], crop: int, batch: int
) -> None:
    """MS-SSIM needs crops of 176 px, and then fewer a step, unless the options say otherwise."""
    seen = []

    class Stop(Exception):  # noqa: N818 - no error
        pass

    def trainer(_photos: Path, _run: Path, settings: object, **_: object) -> None:
        seen.append(settings)
        raise Stop

    monkeypatch.setattr("batchcomp.training.alternating_run.AlternatingTrainer", trainer)
    with pytest.raises(Stop):
        run("train", "alternating", "photos", "--run", "run", *options)
    assert (seen[0].crop, seen[0].batch) == (crop, batch)  # type: ignore[attr-defined]
