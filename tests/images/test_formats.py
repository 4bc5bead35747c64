"""Content decides which format a file is opened as."""

from __future__ import annotations

import pytest
from PIL import features

from batchcomp.images.formats import READS, SIGNATURE_BYTES, foreign, has_picture_suffix, recognise

from .make import encoded, image

NAMES = {"JPEG": "JPEG", "PNG": "PNG", "WEBP": "WebP", "TIFF": "TIFF", "BMP": "BMP", "GIF": "GIF", "PPM": "PPM",
         "AVIF": "AVIF"}  # fmt: skip


@pytest.mark.parametrize("kind", NAMES)
def test_every_format_is_recognised_by_its_first_bytes(kind: str) -> None:
    """A few bytes are enough, whatever the name."""
    if kind in {"WEBP", "AVIF"} and not features.check(kind.lower()):
        pytest.skip(f"PIL was built without {kind}")
    entry = recognise(encoded(image("P" if kind == "GIF" else "RGB"), kind)[:SIGNATURE_BYTES])
    assert entry is not None
    assert entry.name == NAMES[kind]


@pytest.mark.parametrize(
    "data", [b"", b"text", b"P is no picture", b"BM is a car maker" + bytes(30), b"\0\0\0\x14ftypqt"]
)
def test_other_content_is_no_format(data: bytes) -> None:
    """Likeness is not enough."""
    assert recognise(data) is None


def test_each_suffix_belongs_to_one_format() -> None:
    """And all are in lower case, as they are compared."""
    suffixes = [suffix for entry in READS for suffix in entry.suffixes]
    assert len(suffixes) == len(set(suffixes))
    assert suffixes == [suffix.lower() for suffix in suffixes]


def test_a_suffix_promises_a_picture() -> None:
    """Readable or not; raw files are known by name, since as TIFFs they would open as their thumbnail."""
    assert has_picture_suffix("a/B.JPG")
    assert has_picture_suffix("IMG_1.DNG")
    assert not has_picture_suffix("notes.txt")
    assert foreign("IMG_1.DNG") == "camera raw"
    assert foreign("a.jpg") is None
