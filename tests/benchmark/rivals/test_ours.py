"""batchcomp as a rival: plain, packed, with effort."""

from __future__ import annotations

from pathlib import Path

import pytest

from batchcomp.benchmark.rivals.ours import Ours, OursPacked
from batchcomp.benchmark.run import BenchSettings, run_bench
from batchcomp.codec.codec import Codec
from batchcomp.metrics.ms_ssim import ms_ssim, ms_ssim_db
from tests.benchmark.samples import HalfJpeg, photo, save_photos

pytest.importorskip("constriction")


def test_our_codec_is_a_rival_too() -> None:
    """Its pictures come back in their own size under its own name."""
    ours, rgb = Ours(HalfJpeg()), photo(35, 24)
    assert ours.decode(ours.encode(rgb, 50.0)).shape == rgb.shape
    assert ours.name == "batchcomp"


def test_packed_pictures_are_the_same_in_fewer_bytes() -> None:
    """Packing changes the bytes of a picture and none of its pixels."""
    codec, rgb = Codec.open(None, device="cpu"), photo()
    plain, packed = Ours(codec), OursPacked(codec)
    one, two = plain.encode(rgb, 40), packed.encode(rgb, 40)
    assert len(two) < len(one)
    assert (plain.decode(one) == packed.decode(two)).all()


def test_packed_has_its_row(tmp_path: Path) -> None:
    """A packed curve stands beside the plain one and has the better BD-rate."""
    codec = Codec.open(None, device="cpu")
    result = run_bench(save_photos(tmp_path), codec, BenchSettings(rivals=[], guard_rates=()), more=[OursPacked(codec)])
    assert result.rivals == ["batchcomp", "batchcomp --pack", "jpeg"]
    ours, packed = (
        next(row for row in result.bd_rates if row.rival == name) for name in ("batchcomp", "batchcomp --pack")
    )
    assert ours.of_mean_curve is not None
    assert packed.of_mean_curve is not None
    assert packed.of_mean_curve < ours.of_mean_curve


def test_effort_takes_bytes_off() -> None:
    """At one quality: fewer bytes, or a better picture."""
    codec, rgb = Codec.open(None, device="cpu"), photo()
    usual, slow = OursPacked(codec), OursPacked(codec, effort=2)
    before, after = usual.encode(rgb, 40), slow.encode(rgb, 40)
    gained = ms_ssim_db(ms_ssim(rgb, slow.decode(after))) - ms_ssim_db(ms_ssim(rgb, usual.decode(before)))
    assert gained / 0.1 * 0.02 - (len(after) / len(before) - 1) > 0.01
