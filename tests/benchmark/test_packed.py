"""The benchmark's curve of `--pack`."""

from __future__ import annotations

from pathlib import Path

import pytest

from batchcomp.benchmark.rivals import PACKED, Ours, OursPacked
from batchcomp.benchmark.run import run_bench
from batchcomp.codec.codec import Codec
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
