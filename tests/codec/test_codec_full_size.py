"""The finest qualities are coded at full size, by networks of their own."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
import torch

from batchcomp.codec import payload, weights
from batchcomp.codec.codec import Codec
from batchcomp.codec.networks.residual import ResidualNetwork
from batchcomp.codec.networks.residual_shape import ResidualArchitecture
from batchcomp.codec.tables import (
    FINE_FROM,
    STRETCH_FROM,
)
from batchcomp.images.load import load
from batchcomp.images.picture import Picture
from batchcomp.metrics.ms_ssim import ms_ssim, ms_ssim_db
from batchcomp.metrics.ssimulacra2 import ssimulacra2
from tests.cli.samples import photo
from tests.codec.conftest import tiny_model

PHOTO = Path(__file__).parents[2] / "examples/photos/hubble_deep_field.jpg"
VISUALLY_LOSSLESS = 90  # by SSIMULACRA2, as its authors read their scale


@pytest.fixture
def two_sizes(monkeypatch: pytest.MonkeyPatch) -> Codec:
    """A codec of tiny nets with a companion of full size."""
    torch.manual_seed(5)
    arch = ResidualArchitecture(scale=1, com_width=8, com_blocks=1, rec_width=8, rec_blocks=1)
    fine = weights.from_bytes(weights.to_bytes(ResidualNetwork(arch)), "tiny-fine")
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
    """No nets of full size were made for it."""
    (compact,) = two_sizes.compact([Picture(pixels=photo(40, 40))], 100, "avif")
    assert compact.header.scale == 2


def test_qualities_beyond_the_scale_are_refused(two_sizes: Codec) -> None:
    """Full size does not widen the scale."""
    with pytest.raises(ValueError, match="expected 1 to 100"):
        two_sizes.compact([Picture(pixels=photo(40, 40))], 100.5)


def test_no_dent_where_full_size_takes_over() -> None:
    """With the shipped models bytes and SSIMULACRA2 rise all along, up to visually lossless.

    MS-SSIM, which counts less of what half size cannot hold, gives way by half a decibel at the change at most.
    """
    codec, pixels = Codec.open(device="cpu"), load(PHOTO).pixels[:192, :256].copy()
    qualities = (60, STRETCH_FROM, 80, FINE_FROM - 0.01, FINE_FROM, 95, 100)
    files = [codec.compress(Picture(pixels=pixels), quality) for quality in qualities]
    restored = [codec.restore(data).pixels for data in files]
    assert [len(data) for data in files] == sorted(len(data) for data in files)
    scores = [ssimulacra2(other, pixels) for other in restored]
    assert scores == sorted(scores)
    likeness = [ms_ssim_db(ms_ssim(pixels, other)) for other in restored]
    gives_way = [0.5 if quality == FINE_FROM else 0.0 for quality in qualities[1:]]
    assert all(then >= now - most for (now, then), most in zip(pairwise(likeness), gives_way, strict=True))
    assert scores[-1] >= VISUALLY_LOSSLESS
