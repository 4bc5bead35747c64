"""Small pictures out of entries, without the networks."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from batchcomp.codec import pack
from batchcomp.codec.codec import Codec
from batchcomp.codec.glimpse import glimpse
from batchcomp.errors import PayloadError
from batchcomp.images.picture import Metadata, Picture
from tests.cli.samples import photo
from tests.needs import needs

SIZE = (640, 480)
EXIF = b"II*\0\x08\0\0\0\0\0\0\0\0\0"


@pytest.fixture(scope="module")
def codec() -> Codec:
    return Codec.open(None, device="cpu")


def picture() -> Picture:
    return Picture(pixels=photo(SIZE[1], SIZE[0]), metadata=Metadata(exif=EXIF))


def compact(codec: Codec) -> bytes:
    return codec.compress(picture(), 50)


def packed(codec: Codec) -> bytes:
    pytest.importorskip("constriction")
    found = codec.compact([picture()], 50)[0]
    data = pack.pack(codec.encode(found), found.coefficients, found.tables)
    assert data is not None
    return data


def avif(codec: Codec) -> bytes:
    return codec.compress(picture(), 50, "avif")


def plain(_: Codec) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(photo(SIZE[1], SIZE[0])).save(buffer, "JPEG", quality=90, exif=b"Exif\0\0" + EXIF)
    return buffer.getvalue()


def png(_: Codec) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(photo(SIZE[1], SIZE[0])).save(buffer, "PNG", exif=b"Exif\0\0" + EXIF)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("stored", "make", "size"),
    [
        ("compact", compact, (160, 120)),
        ("packed", packed, (160, 120)),
        ("jpeg", plain, (160, 120)),
        pytest.param("compact-avif", avif, (320, 240), marks=needs("avif")),
        ("png", png, SIZE),
    ],
)
def test_it_is_small_where_that_is_cheap(
    codec: Codec, stored: str, make: Callable[[Codec], bytes], size: tuple[int, int]
) -> None:
    """JPEG is decoded at a part of its size, others as they are; all look like the picture and keep EXIF."""
    found = glimpse(stored, make(codec), SIZE, 100)
    assert (found.width, found.height) == size
    assert found.metadata.exif == EXIF
    expected = np.asarray(Image.fromarray(photo(SIZE[1], SIZE[0])).resize(size, Image.Resampling.BOX)).astype(int)
    assert np.abs(found.pixels - expected).mean() < 10


def test_no_side_gets_shorter_than_asked(codec: Codec) -> None:
    """240 pixels of the compact picture's shorter side: a half would be 120."""
    assert glimpse("compact", compact(codec), SIZE, 121).height == 240


@pytest.mark.parametrize("stored", ["compact", "jpeg", "png"])
def test_another_size_than_the_manifests_is_damage(codec: Codec, stored: str) -> None:
    """What claims to be larger, or absurdly large, is refused before it is decoded."""
    data = {"compact": compact, "jpeg": plain, "png": png}[stored](codec)
    with pytest.raises(PayloadError):
        glimpse(stored, data, (SIZE[0] + 2, SIZE[1]), 100)
    with pytest.raises(PayloadError, match="may be forged"):
        glimpse(stored, data, (100_000, 100_000), 100)


@pytest.mark.parametrize("stored", ["compact", "packed", "jpeg", "png"])
def test_nonsense_is_damage(stored: str) -> None:
    """No exception of a library comes through."""
    for data in (b"", b"nonsense", b"\xff\xd8\xff", b"\xbcpk2" + bytes(40), b"\x89PNG\r\n\x1a\n"):
        with pytest.raises(PayloadError):
            glimpse(stored, data, SIZE, 100)
