"""The benchmark's curve of `--pack`."""

from __future__ import annotations

from pathlib import Path

import pytest

from batchcomp.benchmark.rivals.ours import PACKED, Ours, OursPacked
from batchcomp.benchmark.run import run_bench
from batchcomp.cli.bench import _packed
from batchcomp.codec.codec import Codec
from batchcomp.metrics.ms_ssim import ms_ssim, ms_ssim_db
from tests.benchmark.samples import photo, save_photos

pytest.importorskip("constriction")


def test_packed_pictures_are_the_same_in_fewer_bytes() -> None:
    codec, rgb = Codec.open(None, device="cpu"), photo()
    plain, packed = Ours(codec), OursPacked(codec)
    one, two = plain.encode(rgb, 40), packed.encode(rgb, 40)
    assert len(two) < len(one)
    assert (plain.decode(one) == packed.decode(two)).all()


def test_packed_has_its_row(tmp_path: Path) -> None:
    codec = Codec.open(None, device="cpu")
    result = run_bench(save_photos(tmp_path), codec, rivals=[], guard_rates=(), more=[OursPacked(codec)])
    assert result.rivals == ["batchcomp", PACKED, "jpeg"]
    ours, packed = (next(row for row in result.bd_rates if row.rival == name) for name in ("batchcomp", PACKED))
    assert ours.of_mean_curve is not None
    assert packed.of_mean_curve is not None
    assert packed.of_mean_curve < ours.of_mean_curve


def test_effort_has_a_curve_of_its_own() -> None:
    """Beside the packed one, at fewer qualities that reach as far, under a name that says how it was made."""
    usual, slow = _packed(Codec.open(None, device="cpu"), 3)
    assert usual.name == PACKED
    assert usual.effort == 0
    assert slow.name == f"{PACKED} --effort 3"
    assert slow.effort == 3
    assert slow.qualities[0] == usual.qualities[0]
    assert 97 < slow.qualities[-1] < 98  # the finest that half size has


def test_effort_takes_bytes_off() -> None:
    """At one quality: fewer bytes, or a better picture."""
    codec, rgb = Codec.open(None, device="cpu"), photo()
    usual, slow = OursPacked(codec), OursPacked(codec, effort=2)
    before, after = usual.encode(rgb, 40), slow.encode(rgb, 40)
    gained = ms_ssim_db(ms_ssim(rgb, slow.decode(after))) - ms_ssim_db(ms_ssim(rgb, usual.decode(before)))
    assert gained / 0.1 * 0.02 - (len(after) / len(before) - 1) > 0.01
