"""Alternating training: whose weights move, where gradients go, where it starts."""

from __future__ import annotations

from concurrent.futures import Executor

import numpy as np
import pytest
import torch
from torch.nn import functional

from batchcomp.codec import jpeg
from batchcomp.codec.networks.jiang2017 import Jiang2017Architecture, Jiang2017Network
from batchcomp.codec.resample import downscale, upscale
from batchcomp.training import alternating
from batchcomp.training.alternating import com_turn, distance, rec_turn, through_codec
from tests.training.samples import photo

TINY = Jiang2017Architecture(width=8, layers=4)


COARSENESSES = torch.tensor([1.0, 4.0])


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
