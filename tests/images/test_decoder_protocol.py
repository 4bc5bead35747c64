"""A picture and an error come back from a decoding process as they were."""

from __future__ import annotations

import json

import numpy as np
import pytest

from batchcomp.errors import NotAPictureError, PictureError, UnsupportedPictureError
from batchcomp.images.decoder_protocol import bytes_of_pixels, described, description_of, error_of, picture_of
from batchcomp.images.picture import Metadata, Picture
from batchcomp.images.shared_memory import SharedMemory, new_descriptor

from .make import noise

METADATA = Metadata(
    exif=b"exif", icc=b"icc", xmp=b"xmp", dpi=(300, 72), segments=((0xFE, b"hi"),), chunks=((b"tEXt", b"a\0b"),),
    trailer=b"behind", alpha=b"png",
)  # fmt: skip


@pytest.mark.parametrize("copy", [True, False])
def test_a_picture_is_the_same_on_the_other_side(copy: bool) -> None:
    """Through JSON and shared memory, with all its metadata."""
    pixels = noise(5, 4)
    with new_descriptor() as descriptor:
        memory = SharedMemory(descriptor)
        memory.pixels(pixels.shape)[:] = pixels
        answer = json.loads(json.dumps(described(Picture(pixels=pixels, metadata=METADATA), memory.append)))
        found = picture_of(answer, memory.view(), copy=copy)
        assert found.metadata == METADATA
        assert np.array_equal(found.pixels, pixels)
        assert bytes_of_pixels(answer) == 60


@pytest.mark.parametrize(
    "error", [PictureError("a"), NotAPictureError("b"), UnsupportedPictureError("c", reason="palette")]
)
def test_an_error_keeps_type_message_and_reason(error: PictureError) -> None:
    """The pipeline decides by them."""
    found = error_of(json.loads(json.dumps(description_of(error))))
    assert type(found) is type(error)
    assert (str(found), getattr(found, "reason", "")) == (str(error), getattr(error, "reason", ""))


def test_an_unknown_error_is_a_picture_error() -> None:
    """Answers are not trusted: no name makes another class."""
    assert type(error_of({"error": "SystemExit", "message": "x", "reason": ""})) is PictureError
