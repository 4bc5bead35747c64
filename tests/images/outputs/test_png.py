"""PNG gives everything back."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from batchcomp.images.jpeg_segments import APP13, COM, PHOTOSHOP
from batchcomp.images.load import load
from batchcomp.images.picture import Metadata, Picture
from batchcomp.images.png_chunks import png_chunks
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


CHUNKS = (
    (b"tEXt", b"Comment\0the letters IDAT, pHYs and IEND in a text"),
    (b"iTXt", "Title\0\0\0de\0Titel\0grün".encode()),
    (b"tIME", bytes([7, 233, 11, 25, 12, 30, 0])),
    (b"gAMA", struct.pack(">I", 45_455)),
    (b"sBIT", bytes([8, 8, 8])),
    (b"bKGD", bytes(6)),
    (b"oFFs", bytes(9)),
    (b"sCAL", b"\0011\0001"),
    (b"sTER", b"\1"),
    (b"pHYs", struct.pack(">IIB", 2, 3, 0)),
    (b"prVt", b"private, and safe to copy"),
)


@pytest.mark.parametrize("chunks", [CHUNKS, CHUNKS[:5], CHUNKS[5:]])
def test_carried_chunks_are_written(tmp_path: Path, chunks: tuple[tuple[bytes, bytes], ...]) -> None:
    """Each is there once with its bytes, in front of the pixels, and every checksum is right."""
    pixels = noise(9, 7, 3)
    save(Picture(pixels=pixels, metadata=Metadata(chunks=chunks)), tmp_path / "a.png", format="png")
    found = list(png_chunks((tmp_path / "a.png").read_bytes()))
    assert all(sound for _, _, sound in found)
    kinds = [kind for kind, _, _ in found]
    assert (kinds[0], kinds[-1]) == (b"IHDR", b"IEND")
    assert sorted((kind, content) for kind, content, _ in found if kind in dict(chunks)) == sorted(chunks)
    assert all(kinds.index(kind) < kinds.index(b"IDAT") for kind, _ in chunks)
    assert np.array_equal(load(tmp_path / "a.png").pixels, pixels)
    assert sorted(load(tmp_path / "a.png").metadata.chunks) == sorted(chunks)


def test_photoshop_data_in_two_segments_become_one_profile(tmp_path: Path) -> None:
    """ImageMagick's text holds all of it; a caption that was cut in two is whole again."""
    caption = b"a caption that was cut " * 40
    block = struct.pack(">4sHHI", b"8BIM", 0x0404, 0, len(caption)) + caption
    metadata = Metadata(
        segments=((APP13, PHOTOSHOP + block[:500]), (COM, "grün".encode("latin-1")), (APP13, PHOTOSHOP + block[500:]))
    )
    save(Picture(pixels=noise(9, 7, 3), metadata=metadata), tmp_path / "a.png", format="png")
    with Image.open(tmp_path / "a.png") as image:
        texts = dict(image.info)
    _, name, length, *lines = texts["Raw profile type iptc"].split("\n")
    assert (name, int(length)) == ("iptc", len(block))
    assert bytes.fromhex("".join(lines)) == block
    assert texts["Comment"] == "grün"
