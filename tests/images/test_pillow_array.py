"""Pixels come out of Pillow as they are."""

from __future__ import annotations

import numpy as np
import pytest

from batchcomp.images import pillow_array
from batchcomp.images.pillow_array import pixels_of

from .make import image


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("strip", [1, 100, 1 << 20])
def test_strips_make_the_whole_picture(mode: str, strip: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many rows are copied at once."""
    monkeypatch.setattr(pillow_array, "STRIP_BYTES", strip)
    picture = image(mode, (7, 11))
    assert np.array_equal(pixels_of(picture).squeeze(), np.asarray(picture))


def test_the_memory_can_be_another() -> None:
    """Pixels go straight to where they are wanted."""
    memory = np.zeros((30, 40, 3), np.uint8)
    assert pixels_of(image(), lambda _shape: memory) is memory
    assert memory.any()
