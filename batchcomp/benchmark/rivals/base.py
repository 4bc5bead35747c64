"""What a codec must offer to be measured, and the helpers of those that Pillow writes and reads."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from PIL import Image

from batchcomp.images.picture import Pixels

ANCHOR = "jpeg"  # what every codec is compared with: what most tools write
MOZJPEG = "mozjpeg"  # and, where it was measured, with this: what JPEG can do at best


class Rival(Protocol):
    """A codec with a quality setting: `qualities` in order of rising bytes, at least four of them for a BD-rate."""

    @property
    def name(self) -> str: ...

    @property
    def qualities(self) -> Sequence[float]: ...

    def encode(self, rgb: Pixels, quality: float) -> bytes:
        """Return a whole file for uint8 (H, W, 3)."""
        ...

    def decode(self, data: bytes) -> Pixels:
        """Return uint8 (H, W, 3) of the encoded shape."""
        ...


def save_with_pillow(rgb: Pixels, kind: str, **options: Any) -> bytes:
    """Return a file of uint8 (H, W, 3) in a format of Pillow's."""
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, kind, **options)
    return buffer.getvalue()


def open_with_pillow(data: bytes) -> Pixels:
    """Return uint8 (H, W, 3) of a file."""
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB"))
