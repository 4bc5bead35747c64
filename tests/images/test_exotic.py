"""Sound pictures that no decoder here reads are told from damaged ones."""

from __future__ import annotations

import pytest

from batchcomp.errors import PictureError, UnsupportedPictureError
from batchcomp.images.load import decode_picture


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\xff\xd8\xff\xc1\0\x0b\x0c\0\1\0\1\1\1\x11\0", "12 bits per sample"),
        (b"\xff\xd8\xff\xf7\0\x0b\x08\0\1\0\1\1\1\x11\0", "JPEG-LS"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
        (b"II\xbc\1", "JPEG XR"),
        (b"\xff\xd8\xff\xc9\0\x0b\x08\0\1\0\1\1\1\x11\0", "arithmetically coded JPEG"),
        (b"\xff\xd8\xff\xf0\0\4\0\0", "JPEG with extensions"),
        (b"\xff\xd8\xff\xde\0\x0b\x08\0\1\0\1\1\1\x11\0", "hierarchical JPEG"),
        (b"8BPS\0\1", "Photoshop"),
        (b"PF\n1 1\n-1.0\n", "floating point PFM"),
        (b"P7\nWIDTH 1\n", "PAM"),
        (b"FUJIFILMCCD-RAW 0201", "camera raw"),
    ],
)
def test_exotic_pictures_are_kept_for_what_they_are(data: bytes, reason: str) -> None:
    """Copying them again would not help."""
    with pytest.raises(UnsupportedPictureError, match=reason):
        decode_picture(data, "a.jpg")


def test_what_is_not_read_is_said_under_its_own_suffix() -> None:
    """There its name tells no untruth: it is for the user to decide (docs/formats.md)."""
    with pytest.raises(PictureError, match="Photoshop pictures are not read") as caught:
        decode_picture(b"8BPS\0\1", "a.psd")
    assert not isinstance(caught.value, UnsupportedPictureError)
