"""Fitting the packer: what is trained is what runs."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from batchcomp.codec.codec import Codec
from batchcomp.codec.dct import coefficients
from batchcomp.codec.pack import model
from batchcomp.codec.pack.adaptive import AdaptiveMaps, Bits, Odds
from batchcomp.codec.pack.coder import Walk
from batchcomp.training.packer import (
    Packers,
    ac_bits,
    dc_bits,
    expected_tables,
    fit,
    samples_of,
    tables_of,
    to_bytes,
)
from batchcomp.training.packer_records import Records, Sample, record_all
from tests.cli.samples import image, photo, save
from tests.codec.conftest import tiny_model

TABLES = np.full((2, 8, 8), 9, np.int64)


def sample(height: int = 72, width: int = 88, *, seed: int = 0) -> Sample:
    return Sample(coefficients=coefficients(photo(height, width, seed=seed), TABLES), tables=TABLES, quality=50)


class Counter:
    """A coder that only counts what an ideal one would spend."""

    def __init__(self) -> None:
        self.bits = 0.0

    def code(self, odds: Odds, bits: Bits | None) -> Bits:
        assert bits is not None
        self.bits -= float(np.log2(np.where(bits, odds, 1 - odds)).sum())
        return bits


def test_the_loss_is_what_the_coder_spends(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bits by the training's formulas on all blocks are those of the product's walk, roundings included.

    But for what the walk learns on its way.
    """
    monkeypatch.setattr(AdaptiveMaps, "learn", lambda *_: None)
    torch.manual_seed(0)
    packers, one = Packers(), sample()
    with torch.no_grad():
        for net in (*packers.ac, *packers.dc):
            net.last.mul_(6)
            net.first.copy_((net.first * 64).round() / 64)  # what a file holds exactly
    packer = model.from_bytes(to_bytes(packers, {b"abcd": np.full((115, 2, 64), 9, np.uint8)}))
    counter = Counter()
    Walk(counter, packer, 50).planes(one.coefficients.shape[:3], TABLES, one.coefficients)
    records = Records(1.0, 0)
    records.add(one)
    ac, dc = records.tables()
    total = 0.0
    with torch.no_grad():
        for plane in range(3):
            for k, (features, values) in enumerate(ac[plane]):
                x = torch.zeros(63, len(values), features.shape[1])
                x[k] = features.float()
                total += float(ac_bits(packers.ac[plane](x), values.float().expand(63, -1))[k].sum())
            features, terms, values = (part.float() for part in dc[plane])
            logits = packers.dc[plane](features[None])[0]
            expected = (logits[:, model.DC_LOGITS :].clamp(-2, 2) * terms).sum(-1)
            learning = torch.log2(1 + (values - expected).abs())
            total += float((dc_bits(logits, terms, values) - learning).sum())
    assert counter.bits == pytest.approx(total, rel=1e-3)


def test_training_saves_bits() -> None:
    """A few steps save a fifth of what untrained networks spend."""
    torch.manual_seed(0)
    packers, seen = Packers(), list[float]()
    fit(
        packers,
        record_all([sample(seed=s) for s in range(2)], share=0.5),
        steps=25,
        batch=16,
        on_step=lambda _, b: seen.append(b),
    )
    assert np.mean(seen[-3:]) < 0.8 * seen[0]
    assert all(math.isfinite(bits) for bits in seen)


def test_samples_are_compact_pictures_of_a_folder(tmp_path) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    """Each photo gives its crops at several qualities; broken and grey files are passed over."""
    save(tmp_path / "a.png", image(100, 130))
    save(tmp_path / "grey.png", image(mode="L"))
    (tmp_path / "broken.png").write_bytes(b"no picture")
    codec = Codec(tiny_model())
    found = list(samples_of(codec, sorted(tmp_path.iterdir()), crop=64, each=3, seed=0))
    assert [one.coefficients.shape for one in found] == [(3, 4, 4, 8, 8)] * 3
    assert len({one.quality for one in found}) == 3
    known = tables_of(codec.models)
    assert [model.hex() for model in known] == [codec.model.sha256[:8]]
    assert np.array_equal(known[bytes.fromhex(codec.model.sha256[:8])], expected_tables(codec.model))
    assert expected_tables(codec.model).shape == (115, 2, 64)
