"""The alpha channel is taken off and put back without loss."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from batchcomp.errors import PictureError
from batchcomp.images.alpha import channel, split

from .make import encoded, image, noise


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_colours_and_alpha_come_apart_and_back(mode: str) -> None:
    """Both are exactly what they were."""
    picture = (
        Image.fromarray(noise(5, 7, len(mode))[:, :, : len(mode)]) if mode == "RGBA" else image("RGBA").convert("LA")
    )
    colours, data = split(picture)
    assert colours.mode == mode[:-1]
    assert np.array_equal(np.asarray(channel(data, picture.size)), np.asarray(picture)[:, :, -1])


def test_a_picture_without_alpha_stays_whole() -> None:
    """There is nothing to store."""
    picture = image()
    assert split(picture) == (picture, b"")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "damaged"),
        (encoded(image("L", (8, 8)), "PNG")[:-30], "damaged"),
        (encoded(image("L", (9, 8)), "PNG"), "not"),
        (encoded(image("RGB", (8, 8)), "PNG"), "not"),
    ],
)
def test_a_forged_channel_is_refused(data: bytes, words: str) -> None:
    """Its size is checked before anything is decoded."""
    with pytest.raises(PictureError, match=words):
        channel(data, (8, 8))
