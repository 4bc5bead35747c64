"""The networks of Jiang et al. 2017: geometry, fusing, files, tiles."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from batchcomp.codec import weights
from batchcomp.codec.codec import Codec
from batchcomp.codec.networks.jiang2017 import Jiang2017Architecture, Jiang2017Network
from batchcomp.codec.tables import QUALITIES, quality_to_coarseness
from batchcomp.errors import ModelError
from batchcomp.images.picture import Picture

TINY = Jiang2017Architecture(width=8, layers=5)


def lively(arch: Jiang2017Architecture = TINY, seed: int = 0) -> Jiang2017Network:
    """Nets in training whose every layer matters and whose normalisation has seen something."""
    torch.manual_seed(seed)
    network = Jiang2017Network(arch, normalised=True)
    for net in (network.com, network.rec):
        torch.nn.init.normal_(net.last.weight, std=0.05)
        torch.nn.init.normal_(net.last.bias, std=0.05)
    with torch.no_grad():
        for _ in range(3):
            network.rec(torch.rand(4, 3, 16, 16))
        for norm in network.rec.norms:
            norm.weight.uniform_(0.5, 1.5)
            norm.bias.uniform_(-0.5, 0.5)
    return network


def noise(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_fusing_changes_nothing() -> None:
    """Without normalisation the nets compute what they did with it, but for the last bits of float32."""
    network, x = lively().eval(), torch.rand(2, 3, 32, 48)
    fused = network.fused()
    assert not any("norm" in key for key in fused.state_dict())
    with torch.no_grad():
        assert torch.equal(fused.com(x), network.com(x))
        assert torch.allclose(fused.rec(x), network.rec(x), atol=1e-5)


def test_fusing_leaves_training_as_it_was() -> None:
    """A score taken in the middle of training must not change it."""
    network = lively().train()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    network.fused()
    assert all(module.training for module in network.modules())
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())


def test_the_layers_are_those_of_the_design() -> None:
    """ComCNN: 3 -> 64, 64 -> 64 with stride 2, 64 -> 3; RecCNN: 20 layers of 64 channels, 18 of them normalised."""
    network = Jiang2017Network(Jiang2017Architecture(), normalised=True)

    def layers(net: torch.nn.Module) -> list[tuple[int, int, int, int]]:
        convs = [m for m in net.modules() if isinstance(m, torch.nn.Conv2d)]
        return [(c.in_channels, c.out_channels, c.kernel_size[0], c.stride[0]) for c in convs]

    assert layers(network.com) == [(3, 64, 3, 1), (64, 64, 3, 2), (64, 3, 3, 1)]
    assert sorted(layers(network.rec)) == sorted([(3, 64, 3, 1), *[(64, 64, 3, 1)] * 18, (64, 3, 3, 1)])
    assert sum(isinstance(m, torch.nn.BatchNorm2d) for m in network.rec.modules()) == 18


@pytest.mark.parametrize("arch", [TINY, Jiang2017Architecture(), Jiang2017Architecture(width=3, layers=2)])
def test_a_file_brings_the_nets_back(tmp_path: Path, arch: Jiang2017Architecture) -> None:
    """The family and its numbers stand in the header; the parameters are counted without building nets."""
    network = lively(arch).fused()
    path = tmp_path / "model.safetensors"
    path.write_bytes(weights.to_bytes(network, half=False))
    model = weights.load_file(path)
    assert isinstance(model.network, Jiang2017Network)
    assert model.network.arch == arch
    assert sum(value.numel() for value in model.network.state_dict().values()) == arch.parameters
    assert all(torch.equal(value, network.state_dict()[key]) for key, value in model.network.state_dict().items())


def test_an_unknown_family_is_a_clear_error(tmp_path: Path) -> None:
    """A model of a later version is not mistaken for one of ours."""
    data = weights.to_bytes(lively().fused())
    path = tmp_path / "model.safetensors"
    path.write_bytes(data.replace(b"jiang2017", b"zhang2017"))
    with pytest.raises(ModelError, match=r"family 'zhang2017', expected one of residual, jiang2017; upgrade"):
        weights.load_file(path)


@pytest.mark.parametrize("bad", [{"width": 0}, {"width": 10**6}, {"layers": 1}, {"layers": 65}, {"width": True}])
def test_numbers_that_build_no_network_are_refused(bad: dict[str, int]) -> None:
    """A forged header must not cost memory."""
    with pytest.raises(ValueError, match="expected a whole number"):
        Jiang2017Architecture(**bad)


@pytest.mark.parametrize("layers", [2, 5, 20])
def test_tiles_give_the_whole_pictures_result(monkeypatch: pytest.MonkeyPatch, layers: int) -> None:
    """The halo covers what the nets see, at any depth."""
    model = weights.from_bytes(weights.to_bytes(lively(Jiang2017Architecture(width=4, layers=layers)).fused()), "x")
    picture = Picture(pixels=noise(150, 203))
    whole = Codec(model)
    expected = whole.compress(picture, 60), whole.restore(whole.compress(picture, 60)).pixels
    monkeypatch.setattr("batchcomp.codec.tiles.TILE", 64)
    monkeypatch.setattr("batchcomp.codec.tiles.ROOM", 0)
    tiled = Codec(model)
    assert tiled.compress(picture, 60) == expected[0]
    assert np.abs(tiled.restore(expected[0]).pixels.astype(int) - expected[1]).max() <= 1


@pytest.mark.parametrize("size", [(1, 1), (7, 8), (64, 47)])
def test_pictures_of_any_size_go_through(size: tuple[int, int]) -> None:
    """Odd sides are padded and cut again."""
    codec = Codec(weights.from_bytes(weights.to_bytes(lively().fused()), "x"))
    assert codec.restore(codec.compress(Picture(pixels=noise(*size)), 50)).pixels.shape == (*size, 3)


def test_quality_is_monotone() -> None:
    """Every table entry falls, or stays, from one quality to the next finer one."""
    network = Jiang2017Network(TINY)
    tables = [network.tables_at(quality_to_coarseness(quality)) for quality in QUALITIES]
    assert all((coarse >= fine).all() for coarse, fine in pairwise(tables))
    assert all((coarse > fine).any() for coarse, fine in pairwise(tables[::10]))
