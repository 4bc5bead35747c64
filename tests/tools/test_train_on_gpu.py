"""What `tools/train_on_gpu.py` puts in place of parts of the package does the same."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import torch

from batchcomp.codec import weights
from batchcomp.codec.networks.exact import ExactConv2d
from batchcomp.metrics import ms_ssim_torch
from batchcomp.models import model_file
from batchcomp.training import jpeg_proxy

TOOL = runpy.run_path(str(Path(__file__).parents[2] / "tools" / "train_on_gpu.py"))


def test_the_parts_of_the_loss() -> None:
    terms = torch.rand(5, 7)
    assert torch.allclose(TOOL["combine"](terms), ms_ssim_torch.combine(terms))
    tables = torch.randn(2, 2, 8, 8) * 2 + 2
    assert torch.equal(TOOL["integer_tables"](tables), jpeg_proxy.integer_tables(tables))


def test_whole_numbers_of_exact_convolutions() -> None:
    network = weights.from_bytes(model_file("fast"), "fast").network
    convolutions = [module for module in network.rec.modules() if isinstance(module, ExactConv2d)]
    assert convolutions
    for convolution in convolutions:
        setattr(convolution.grid, "fixed", convolution.grid.steps)  # noqa: B010  (as the trainer does)
        seen = torch.randn(1, convolution.in_channels, 4, 4)
        assert torch.equal(TOOL["grid_forward"](convolution.grid, seen), convolution.grid(seen))
        for found, expected in zip(TOOL["whole"](convolution), convolution.whole(), strict=True):
            assert torch.equal(found, expected)


def test_crops_are_of_the_photo() -> None:
    side = TOOL["CROP"]
    photo = np.random.default_rng(0).integers(0, 256, (side + 20, side + 30, 3), np.uint8)
    pixels = torch.from_numpy(np.concatenate([np.zeros((5, 3), np.uint8), photo.reshape(-1, 3)]))
    ints = torch.tensor([[5, side + 30, 7, 11, 0, 4], [5, side + 30, 0, 3, 1, 0]])
    floats = torch.tensor([[1.0, 1, 0, 0, 0], [1.0, 2, 255, 0, 0]])
    plain, edged = (
        (crop * 255).round().permute(1, 2, 0).numpy().astype(np.uint8)
        for crop in TOOL["crops"](pixels, ints, floats, torch.arange(side))
    )
    assert np.array_equal(plain, photo[7 : 7 + side, 11 : 11 + side])
    assert np.array_equal(edged[2:], photo[2:side, 3 : 3 + side][:, ::-1])
    assert (edged[:2] == 255).all()
