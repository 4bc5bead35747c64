"""SVT-AV1, the fast rival, gives pictures back; what is not installed is left out."""

from __future__ import annotations

import numpy as np
import pytest

from batchcomp.benchmark.rivals import SPEEDS, timed_rival
from tests.benchmark.samples import photo


def test_a_file_is_the_picture_again() -> None:
    """Two presets code one picture, and finer qualities take more bytes."""
    pytest.importorskip("av")
    pixels = photo()
    for name in ("svt-av1 preset 6", "svt-av1 preset 9"):
        rival = timed_rival(name, threads=1)
        assert rival is not None
        coarse, fine = (rival.encode(pixels, quality) for quality in (rival.qualities[1], rival.qualities[-1]))
        assert len(coarse) < len(fine)
        assert rival.decode(fine).shape == pixels.shape
        assert np.abs(rival.decode(fine).astype(int) - pixels).mean() < 10


def test_what_is_not_installed_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rival whose library is missing is None, not an error."""
    monkeypatch.setitem(SPEEDS, "none", ("batchcomp.benchmark.rivals.no_such_module:Rival", {}))  # type: ignore[arg-type]
    assert timed_rival("none", threads=1) is None
