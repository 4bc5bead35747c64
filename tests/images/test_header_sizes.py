"""The size of a picture is read from its header alone."""

from __future__ import annotations

from pathlib import Path

import pillow_heif
import pillow_jxl  # noqa: F401 - registers what writes JPEG XL
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from batchcomp.images.sizes import estimate_bytes
from tests.needs import param

from .make import encoded

WEBP, AVIF = param("WEBP", "webp"), param("AVIF", "avif")


@pytest.mark.parametrize("size", [(1, 1), (7, 8), (641, 479), (300, 2000)])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP", WEBP, "TIFF", "PPM", AVIF, "JXL"])
def test_the_size_is_read_from_headers_of_every_format(tmp_path: Path, kind: str, size: tuple[int, int]) -> None:
    """Without a decoder, which the file may be made to harm; EXIF in front of a JPEG's size does not matter."""
    options = {"exif": b"Exif\0\0" + bytes(60_000)} if kind == "JPEG" else {"lossless": kind == "WEBP" and size[0] > 7}
    (tmp_path / "a").write_bytes(encoded(Image.new("P" if kind == "GIF" else "RGB", size), kind, **options))
    assert estimate_bytes(tmp_path / "a") == size[0] * size[1] * 3


@given(
    st.binary(max_size=200),
    st.sampled_from([b"\xff\xd8\xff", b"II*\0", b"MM\0+", b"P6\n", b"\xff\x0a", b"RIFF0000WEBP"]),
)
@settings(max_examples=300, deadline=None)
def test_no_header_upsets_the_estimate(tmp_path_factory: pytest.TempPathFactory, rest: bytes, start: bytes) -> None:
    """Whatever follows a signature, the answer is a number."""
    path = tmp_path_factory.getbasetemp() / "header"
    path.write_bytes(start + rest)
    assert isinstance(estimate_bytes(path), int)


def test_the_size_of_heic_is_that_of_its_blocks(tmp_path: Path) -> None:
    """Encoders code whole blocks and crop them; the estimate may be larger by these, never smaller."""
    pillow_heif.register_heif_opener()
    (tmp_path / "a").write_bytes(encoded(Image.new("RGB", (641, 479)), "HEIF"))
    assert 641 * 479 * 3 <= estimate_bytes(tmp_path / "a") <= 648 * 488 * 3
