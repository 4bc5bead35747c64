"""What a picture in memory says of itself."""

from __future__ import annotations

import pytest

from batchcomp.images.picture import Metadata, Picture

from .make import noise


@pytest.mark.parametrize(
    ("channels", "alpha", "mode", "full"),
    [(3, b"", "RGB", "RGB"), (3, b"png", "RGB", "RGBA"), (1, b"", "L", "L"), (1, b"png", "L", "LA")],
)
def test_modes_follow_from_pixels_and_alpha(channels: int, alpha: bytes, mode: str, full: str) -> None:
    """They are Pillow's names."""
    picture = Picture(pixels=noise(2, 3, channels), metadata=Metadata(alpha=alpha))
    assert (picture.mode, picture.full_mode, picture.width, picture.height) == (mode, full, 3, 2)


def test_all_metadata_but_alpha_counts() -> None:
    """Limits of metadata are about what a file can be stuffed with."""
    found = Metadata(exif=b"12", segments=((0xFE, b"345"),), chunks=((b"tEXt", b"6"),), trailer=b"7", alpha=bytes(99))
    assert found.size == 7
