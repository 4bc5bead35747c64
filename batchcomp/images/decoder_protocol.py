"""The messages between a run and its decoding processes. What comes back is not trusted."""

from __future__ import annotations

import mmap
import struct
from collections.abc import Callable
from typing import Any

import numpy as np

from batchcomp.errors import NotAPictureError, PictureError, UnsupportedPictureError
from batchcomp.images.picture import Metadata, Picture, Pixels
from batchcomp.images.shared_memory import give_back

REQUEST = struct.Struct(">IQ")  # bytes of the JSON that follows, and of the file that follows that
REPLY = struct.Struct(">QQ")  # where in the shared memory the JSON starts, and how many bytes it has
_BLOBS = ("exif", "icc", "xmp", "trailer", "alpha")
_ERRORS = {error.__name__: error for error in (NotAPictureError, PictureError)}


def described(picture: Picture, put: Callable[[bytes], tuple[int, int]]) -> dict[str, Any]:
    """Return a picture as JSON, but for its pixels, which lie in the shared memory already.

    `put` appends bytes to that memory and returns where they start and how many they are.
    """
    metadata = picture.metadata
    return {
        "shape": picture.pixels.shape,
        "dpi": metadata.dpi,
        "blobs": {name: put(getattr(metadata, name)) for name in _BLOBS},
        "segments": [(marker, *put(content)) for marker, content in metadata.segments],
        "chunks": [(kind.decode("latin-1"), *put(content)) for kind, content in metadata.chunks],
    }


def picture_of(answer: dict[str, Any], memory: mmap.mmap, *, copy: bool = True) -> Picture:
    """Return the picture that `described` described; its pixels are copied out of the memory, or stay there.

    From pixels that stay rows can be given back, see `Picture`.

    Raises:
        ValueError, KeyError, TypeError: the answer is malformed.
    """

    def get(start: int, length: int) -> bytes:
        return memory[start : start + length]

    dpi = answer["dpi"]
    metadata = Metadata(
        dpi=None if dpi is None else (int(dpi[0]), int(dpi[1])),
        segments=tuple((int(marker), get(*place)) for marker, *place in answer["segments"]),
        chunks=tuple((kind.encode("latin-1"), get(*place)) for kind, *place in answer["chunks"]),
        **{name: get(*answer["blobs"][name]) for name in _BLOBS},
    )
    height, width, channels = answer["shape"]
    pixels: Pixels = np.frombuffer(memory, np.uint8, height * width * channels)
    pixels = pixels.reshape(height, width, channels)
    if copy:
        return Picture(pixels=pixels.copy(), metadata=metadata)
    return Picture(pixels=pixels, metadata=metadata, give_back=lambda rows: give_back(memory, rows * width * channels))


def bytes_of_pixels(answer: dict[str, Any]) -> int:
    """Return how many bytes the pixels of such a picture take. Errors: see `picture_of`."""
    height, width, channels = answer["shape"]
    return int(height * width * channels)


def description_of(error: PictureError) -> dict[str, Any]:
    """Return an error as JSON."""
    return {"error": type(error).__name__, "message": str(error), "reason": getattr(error, "reason", "")}


def error_of(answer: dict[str, Any]) -> PictureError:
    """Return the error that `description_of` described."""
    if answer["error"] == UnsupportedPictureError.__name__:
        return UnsupportedPictureError(answer["message"], reason=answer["reason"])
    return _ERRORS.get(answer["error"], PictureError)(answer["message"])
