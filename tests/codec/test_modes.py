"""The finest qualities are coded at full size, by networks of their own."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from batchcomp.codec import payload, weights
from batchcomp.codec.codec import Codec
from batchcomp.codec.networks import Architecture, DoubleNetwork
from batchcomp.codec.tables import (
    FINE_FROM,
    MAX_NETWORK_QUALITY,
    STRETCH_FROM,
    full_size_network_quality,
    half_size_network_quality,
)
from batchcomp.images.load import load
from batchcomp.images.picture import Picture
from batchcomp.metrics.ms_ssim import ms_ssim
from batchcomp.training.shapes import RECIPES
from tests.cli.samples import photo
from tests.codec.conftest import tiny_model

PHOTO = Path(__file__).parents[2] / "examples/photos/hubble_deep_field.jpg"


@pytest.fixture
def two_sizes(monkeypatch: pytest.MonkeyPatch) -> Codec:
    """A codec of tiny nets with a companion of full size."""
    torch.manual_seed(5)
    arch = Architecture(scale=1, com_width=8, com_blocks=1, rec_width=8, rec_blocks=1)
    fine = weights.from_bytes(weights.to_bytes(DoubleNetwork(arch)), "tiny-fine")
    monkeypatch.setattr(weights, "load_fine", lambda _model: fine)
    return Codec(tiny_model())


def test_a_batch_may_mix_both_sizes(two_sizes: Codec) -> None:
    """Each picture gets the model of its quality, names it, and comes back in its own size, whatever the company."""
    pictures = [Picture(pixels=photo(45, 61, seed=n)) for n in range(4)]
    qualities = [50, FINE_FROM, FINE_FROM - 0.01, 100]
    compacts = two_sizes.compact(pictures, qualities)
    assert [compact.header.scale for compact in compacts] == [2, 1, 2, 1]
    assert [compact.quality for compact in compacts] == qualities
    assert [two_sizes.hashes.index(two_sizes.hash_of(compact.header)) for compact in compacts] == [0, 1, 0, 1]
    files = [two_sizes.encode(compact) for compact in compacts]
    alone = [two_sizes.compress(picture, quality) for picture, quality in zip(pictures, qualities, strict=True)]
    assert files == alone
    assert [payload.parse(data).compact_size for data in files] == [(31, 23), (61, 45), (31, 23), (61, 45)]
    assert all(two_sizes.restore(data).pixels.shape == (45, 61, 3) for data in files)


def test_avif_inside_stays_at_half_size(two_sizes: Codec) -> None:
    """Its networks are told one thing throughout; no nets of full size were made for it."""
    (compact,) = two_sizes.compact([Picture(pixels=photo(40, 40))], 100, "avif")
    assert compact.header.scale == 2


def test_what_full_size_is_told_rises_to_100() -> None:
    """From 1 or more where it takes over, evenly, to 100."""
    told = [full_size_network_quality(quality) for quality in (FINE_FROM, (FINE_FROM + 100) / 2, 100)]
    assert told[0] >= 1
    assert told[2] == 100
    assert told[2] - told[1] == pytest.approx(told[1] - told[0])


def test_what_half_size_is_told_reaches_its_finest() -> None:
    """It is the quality itself at first, then rises faster, without a step, to the finest there is."""
    assert [half_size_network_quality(quality) for quality in (1, 50.25, STRETCH_FROM)] == [1, 50.25, STRETCH_FROM]
    assert half_size_network_quality(STRETCH_FROM + 0.01) == pytest.approx(STRETCH_FROM, abs=0.2)
    assert half_size_network_quality(FINE_FROM) == pytest.approx(MAX_NETWORK_QUALITY)


def test_qualities_beyond_the_scale_are_refused(two_sizes: Codec) -> None:
    """Full size does not widen the scale."""
    with pytest.raises(ValueError, match="expected 1 to 100"):
        two_sizes.compact([Picture(pixels=photo(40, 40))], 100.5)


def test_no_dent_where_full_size_takes_over() -> None:
    """With the shipped models bytes and similarity rise across the change, up to visually lossless."""
    codec, pixels = Codec.open(device="cpu"), load(PHOTO).pixels[:192, :256].copy()
    found = []
    for quality in (88, STRETCH_FROM, 97, FINE_FROM - 0.01, FINE_FROM, 99, 100):
        data = codec.compress(Picture(pixels=pixels), quality)
        found.append((len(data), ms_ssim(pixels, codec.restore(data).pixels)))
    assert found == sorted(found)
    assert [similarity for _, similarity in found] == sorted(similarity for _, similarity in found)
    assert found[-1][1] >= 0.998


@pytest.mark.parametrize(("recipe", "model"), [("default", "default"), ("fast", "fast"), ("full-size", "default-fine")])
def test_recipes_are_those_of_the_shipped_models(recipe: str, model: str) -> None:
    """`train --shape` makes networks of the shapes that ship."""
    assert RECIPES[recipe].architecture == weights.load_shipped(model).network.arch
