"""`tools/train_on_gpu.py`: what it puts in place of parts of the package does the same, and it trains and goes on."""

from __future__ import annotations

import itertools
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from batchcomp.codec import weights
from batchcomp.codec.networks.exact import ExactConv2d, Grid
from batchcomp.models import model_file

TOOL = Path(__file__).parents[2] / "tools" / "train_on_gpu.py"


def test_whole_numbers_of_exact_convolutions(monkeypatch: pytest.MonkeyPatch) -> None:
    tool = runpy.run_path(str(TOOL))
    network = weights.from_bytes(model_file("fast"), "fast").network
    convolutions = [module for module in network.rec.modules() if isinstance(module, ExactConv2d)]
    assert convolutions
    seen = [torch.randn(1, convolution.in_channels, 4, 4) for convolution in convolutions]
    expected = [convolution(x) for convolution, x in zip(convolutions, seen, strict=True)]
    monkeypatch.setattr(Grid, "steps", Grid.steps)  # put back afterwards, as the next one
    monkeypatch.setattr(ExactConv2d, "weight_scale", ExactConv2d.weight_scale)
    tool["keep_from_host"]([network])
    assert ExactConv2d.weight_scale is tool["weight_scale"]
    for convolution, x, restored in zip(convolutions, seen, expected, strict=True):
        assert torch.equal(convolution(x), restored)


@pytest.mark.parametrize("shape", ["fast", "full-size"])
def test_it_trains_and_goes_on(shape: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for number in range(3):
        pixels = rng.integers(0, 256, (264, 300, 3), np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
    start = tmp_path / "start.safetensors"
    start.write_bytes(model_file("fast" if shape == "fast" else "default-fine"))
    run = tmp_path / "run"
    options = ["--run", str(run), "--shape", shape, "--start", str(start), "--seconds", "0", "--batch", "1"]
    learned = [weights.load_file(start).network.state_dict()]
    for steps in (2, 4):
        subprocess.run([sys.executable, TOOL, tmp_path, *options, "--device", "cpu", "--chunk", "2"], check=True)
        state = torch.load(run / "state.pt", weights_only=True)
        assert state["steps"] == steps
        learned.append(state["network"])
    for before, after in itertools.pairwise(learned):
        assert before.keys() == after.keys()
        assert any(not torch.equal(before[name], after[name]) for name in before)
    assert weights.load_file(run / "ema.safetensors").network.state_dict().keys() == learned[0].keys()
