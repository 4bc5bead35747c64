"""Exact convolutions: every order of adding gives the same, and so does every way to compute them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional as F  # noqa: N812

from batchcomp.codec import weights
from batchcomp.codec.networks.exact import ExactConv2d, Grid
from batchcomp.codec.networks.residual import ResidualNetwork
from batchcomp.codec.resample import upscale, upscale_exactly
from batchcomp.codec.whole_numbers import BYTES, FINEST_BYTES, SUM_LIMIT, WIDE, Limits, to_bytes, weight_steps
from tests.codec.networks.test_residual import MIDDLE, moved

EXACT = replace(MIDDLE, exact=True)


def conv(
    channels: int = 48, spread: float = 0.3, bias: float = 1.0, seed: int = 0, limits: Limits = WIDE
) -> ExactConv2d:
    torch.manual_seed(seed)
    layer = ExactConv2d(channels, 8, 3, limits)
    with torch.no_grad():
        layer.grid.exponent.fill_(4)
        layer.weight.normal_(0, spread)
        layer.bias.normal_(0, bias)  # type: ignore[union-attr]
    return layer


@pytest.mark.parametrize("limits", [WIDE, BYTES])
@pytest.mark.parametrize(("channels", "spread", "bias"), [(4, 0.3, 1), (512, 0.3, 1), (48, 30, 1), (48, 1e-7, 1e5)])
@torch.no_grad()
def test_no_sum_exceeds_what_float32_holds(channels: int, spread: float, bias: float, limits: Limits) -> None:
    layer = conv(channels, spread, bias, limits=limits)
    assert layer.largest_sum() <= SUM_LIMIT


@torch.no_grad()
def test_what_kernels_of_8_bits_multiply_fits_them() -> None:
    """And not only into half of their range: weights are rounded no more than they must be."""
    layer = conv(64, limits=BYTES)
    whole, steps = layer.whole()[0].numpy(), weight_steps(*(p.detach().numpy() for p in layer.parameters()), 16, BYTES)
    counts = whole * steps.reshape(-1, 1, 1, 1)
    assert np.array_equal(counts, counts.round())
    assert ((np.abs(counts).max(axis=(1, 2, 3)) <= 127) & (np.abs(counts).max(axis=(1, 2, 3)) > 62)).all()
    assert float(layer.grid(torch.tensor(1e6))) == 127 / 16


@torch.no_grad()
def test_float32_gives_what_float64_gives_in_any_order() -> None:
    layer = conv()
    x = torch.randn(2, 48, 17, 19) * 40  # beyond the grid in places
    weight, bias = layer.whole()
    seen = layer.grid(x)
    expected = F.conv2d(seen.double(), weight.double(), bias.double(), padding=1)
    assert torch.equal(layer(x).double(), expected)
    order = torch.randperm(48)
    assert torch.equal(F.conv2d(seen[:, order], weight[:, order], bias, padding=1).double(), expected)
    one_by_one = sum(F.conv2d(seen[:, [i]], weight[:, [i]], padding=1) for i in range(48)) + bias.view(1, -1, 1, 1)
    assert torch.equal(one_by_one.double(), expected)


@torch.no_grad()
def test_the_worst_input_fits_too() -> None:
    layer = conv(512, 0.3, 5)
    weight, bias = layer.whole()
    x = (weight[3].sign() * WIDE.inputs / layer.grid.steps)[None]
    found = layer(F.pad(x, (1, 1, 1, 1)))[0, 3, 2, 2]
    expected = (weight[3].abs().double().sum() * WIDE.inputs / layer.grid.steps) + bias[3].double()
    assert float(found) == float(expected)


@torch.no_grad()
def test_rounding_twice_is_rounding_once() -> None:
    for seed in range(20):
        layer = conv(512, 0.3, 5, seed)
        first = layer.whole()
        layer.weight.copy_(first[0])
        layer.bias.copy_(first[1])  # type: ignore[union-attr]
        again = layer.whole()
        assert torch.equal(first[0], again[0])
        assert torch.equal(first[1], again[1])
        assert layer.largest_sum() <= SUM_LIMIT


@torch.no_grad()
def test_weights_are_close_to_what_training_moves() -> None:
    layer = conv(4)
    error = (layer.whole()[0] - layer.weight).abs().amax(dim=(1, 2, 3))
    assert bool((error <= layer.weight.abs().amax(dim=(1, 2, 3)) / 255).all())


def test_gradients_pass_where_nothing_was_clipped() -> None:
    grid, x = Grid(511, exponent=4), torch.tensor([0.1, -3.0, 31.0, 33.0], requires_grad=True)
    y = grid(x)
    y.sum().backward()  # type: ignore[no-untyped-call]
    assert y.tolist() == [0.125, -3.0, 31.0, 511 / 16]
    assert x.grad is not None
    assert x.grad.tolist() == [1, 1, 1, 0]


@torch.no_grad()
def test_ties_go_to_even_and_those_of_bytes_away_from_zero() -> None:
    ties = torch.tensor([0.5, 1.5, 2.5, -0.5, -1.5])
    assert Grid(511, exponent=0)(ties).tolist() == [0, 2, 2, 0, -2]
    assert Grid(127, exponent=0)(ties).tolist() == [1, 2, 3, -1, -2]
    assert to_bytes(ties.numpy(), 1).tolist() == [1, 2, 3, -1, -2]


@torch.no_grad()
def test_bytes_are_the_same_however_halves_are_rounded() -> None:
    """Where values are multiples of a 2^23rd, adding a half in float32 is exact enough, as rounding at once is."""
    parts = np.random.default_rng(0).integers(-(2**30), 2**30, 100_000)
    near = np.array([k * 2**22 + d for k in range(-9, 10) for d in (-1, 0, 1)])  # around every half and whole number
    values = (np.concatenate([parts, near]) / FINEST_BYTES).astype(np.float32)
    at_once = np.clip(np.copysign(np.floor(np.abs(values.astype(np.float64)) + 0.5), values), -127, 127)
    assert np.array_equal(to_bytes(values, 1), at_once)
    assert np.array_equal(Grid(127, exponent=0)(torch.from_numpy(values)).numpy(), at_once)
    finer = np.float32(0.5 - 2.0**-25)  # what must not occur
    assert to_bytes(finer[None], 1) == 1


@torch.no_grad()
def test_the_enlarged_picture_is_bicubic_to_the_last_bit() -> None:
    x = torch.randint(-128, 128, (1, 3, 40, 56)).float()
    found = upscale_exactly(x, 2)
    assert torch.equal(found.double(), upscale(x.double(), 2))
    assert torch.equal(upscale_exactly(x, 1), x)
    with pytest.raises(ValueError, match="exact enlargement is by 1 or 2"):
        upscale_exactly(x, 4)


@torch.no_grad()
def test_restored_pixels_do_not_depend_on_layout_or_batch() -> None:
    network = moved(EXACT)
    x, levels = torch.randint(0, 256, (2, 3, 32, 48)).float(), torch.tensor([0.3, 2.0])
    together = network.rec.pixels(x, levels)
    assert torch.equal(together, together.round())
    assert 0 <= float(together.min()) < float(together.max()) <= 255
    network.placed()
    for i in range(2):
        alone = network.rec.pixels(x[i : i + 1].contiguous(memory_format=torch.channels_last), levels[i : i + 1])
        assert torch.equal(alone, together[i : i + 1])


@torch.no_grad()
def test_pixels_are_what_training_sees_to_a_step() -> None:
    network = moved(EXACT)
    x, levels = torch.randint(0, 256, (1, 3, 64, 64)).float(), torch.tensor([1.0])
    exact, trained = network.rec.pixels(x, levels), (network.rec(x / 255, levels) * 255).round().clamp(0, 255)
    assert float((exact - trained).abs().max()) <= 1
    assert float((exact != trained).float().mean()) < 0.05


@torch.no_grad()
def test_a_file_holds_an_exact_network() -> None:
    network = moved(EXACT)
    again = weights.from_bytes(weights.to_bytes(network), "test").network
    assert isinstance(again, ResidualNetwork)
    assert again.arch == EXACT
    first, loaded = network.rec.trunk.body[0].first, again.rec.trunk.body[0].first
    assert all(torch.equal(a, b) for a, b in zip(first.whole(), loaded.whole(), strict=True))
    assert weights.to_bytes(again) == weights.to_bytes(network)
