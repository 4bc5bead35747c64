"""Parts of pictures at the same bytes."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from batchcomp.benchmark.crops import sample
from batchcomp.benchmark.curves import name_pictures
from batchcomp.benchmark.rivals import make_rivals
from batchcomp.benchmark.rivals.ours import Ours
from tests.benchmark.samples import HalfJpeg, photo, save_photos


def test_others_get_our_bytes_or_fewer(tmp_path: Path) -> None:
    """Ours keeps to the rate, others to ours; parts are cut alike."""
    (task, _) = name_pictures(save_photos(tmp_path))
    codecs = [Ours(HalfJpeg()), *make_rivals(["jpeg", "webp"])]
    found = sample(task, codecs, lambda *_: (slice(8, 40), slice(16, 80)), rate=2.0)
    ours, *others = found.crops
    assert [crop.rival for crop in found.crops] == ["batchcomp", "jpeg", "webp"]
    assert 1.0 < ours.bpp <= 2.0
    assert all(0.7 * ours.size < crop.size <= ours.size for crop in others)
    assert all(crop.pixels.shape == (32, 64, 3) for crop in found.crops)
    assert np.array_equal(found.original, photo(seed=0)[8:40, 16:80])
    assert (found.width, found.height) == (176, 168)


def test_what_cannot_be_as_small_is_shown_at_its_coarsest(tmp_path: Path) -> None:
    """Its bytes say so."""
    (task, _) = name_pictures(save_photos(tmp_path))
    (jpeg,) = make_rivals(["jpeg"])
    found = sample(task, [jpeg], lambda *_: (slice(None), slice(None)), rate=0.01)
    assert found.crops[0].size == len(jpeg.encode(photo(seed=0), jpeg.qualities[0]))
    assert found.crops[0].bpp > 0.01
