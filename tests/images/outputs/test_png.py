"""PNG gives everything back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchcomp.images.load import load
from batchcomp.images.picture import Metadata, Picture
from batchcomp.images.save import save
from tests.images.make import exif, noise

METADATA = Metadata(exif=exif(6), icc=b"profile" * 20_000, xmp=b"<x:xmpmeta>\xc3\xa9</x:xmpmeta>", dpi=(300, 150))


@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from([1, 3]))
@settings(max_examples=40, deadline=None)
def test_png_gives_back_pixels_and_metadata(
    tmp_path_factory: pytest.TempPathFactory, height: int, width: int, channels: int
) -> None:
    """Every size and layout comes back exactly."""
    picture = Picture(pixels=noise(height, width, channels), metadata=METADATA)
    path = tmp_path_factory.mktemp("save") / "a.png"
    save(picture, path, format="png")
    found = load(path)
    assert found.metadata == METADATA
    assert np.array_equal(found.pixels, picture.pixels)
