"""The inner codecs, and what reads each kind of stored picture."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from batchcomp.codec.codec import Codec
from batchcomp.codec.inner import codec_of, inner_codec, reader_of
from batchcomp.errors import PayloadError
from batchcomp.images.picture import Metadata, Picture
from batchcomp.images.pillow_warnings import ignore_pillow_warnings
from batchcomp.kinds import CODECS, COMPACT, KINDS
from tests.cli.samples import photo
from tests.codec.conftest import tiny_model
from tests.needs import param

CODEC = Codec(tiny_model())


NAMES = [param(name, "avif") if name == "avif" else name for name in CODECS]


def exif(orientation: int = 6) -> bytes:
    tags = Image.Exif()
    tags[0x0112] = orientation
    tags[0x010F] = "Maker"
    return tags.tobytes().removeprefix(b"Exif\0\0")


METADATA = [
    Metadata(),
    Metadata(exif=exif(1), icc=b"p" * 500, xmp=b"<x:xmpmeta/>"),
    Metadata(exif=exif(6), icc=b"p" * 70_000, dpi=(300, 240)),
    Metadata(exif=b"II*\0no directory", segments=((0xFE, b"hello"),), trailer=b"more"),
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("metadata", METADATA)
def test_a_payload_stands_alone(name: str, channels: int, metadata: Metadata) -> None:
    """From the file alone, every inner codec gives back header, shape and metadata, and Pillow opens it."""
    original = Picture(pixels=photo(61, 40, channels=channels), metadata=metadata)
    data = CODEC.compress(original, 70.25, name)
    inner = codec_of(data)
    assert inner is inner_codec(name)
    expected = inner_codec(name).network_quality(70.25)
    assert (inner.header(data).quality, inner.header(data).grey) == (pytest.approx(expected, abs=0.005), channels == 1)
    with ignore_pillow_warnings(), Image.open(io.BytesIO(data)) as image:
        image.load()
        assert sorted(image.size) == [20, 31]
    restored = CODEC.restore(data)
    assert restored.pixels.shape == original.pixels.shape
    assert restored.metadata == metadata


@pytest.mark.parametrize("name", NAMES)
def test_finer_is_larger_and_closer(name: str) -> None:
    """Bytes rise and the error of the compact picture falls with quality, whatever the inner codec."""
    original = Picture(pixels=photo(120, 160))
    sizes, errors = [], []
    for quality in (5, 35, 65, 95):
        (compact,) = CODEC.compact([original], quality, name)
        data = CODEC.encode(compact, name)
        sizes.append(len(data))
        errors.append(np.square(CODEC.decode(data).pixels.astype(int) - compact.pixels).mean())
    assert sizes == sorted(set(sizes))
    assert errors == sorted(set(errors), reverse=True)


@pytest.mark.parametrize("name", NAMES)
def test_equal_pictures_make_equal_files(name: str) -> None:
    """A payload depends on picture, quality and model alone."""
    original = Picture(pixels=photo(64, 80), metadata=METADATA[1])
    assert CODEC.compress(original, 40, name) == CODEC.compress(original, 40, name)


@pytest.mark.parametrize("name", NAMES)
def test_metadata_is_counted(name: str) -> None:
    """The bytes of metadata are most of what a payload with metadata has more than one without."""
    plain = CODEC.compress(Picture(pixels=photo(64, 80)), 40, name)
    data = CODEC.compress(Picture(pixels=photo(64, 80), metadata=METADATA[2]), 40, name)
    counted = inner_codec(name).metadata_bytes(data)
    assert inner_codec(name).metadata_bytes(plain) == 0
    assert 0.99 * (len(data) - len(plain)) <= counted <= len(data) - len(plain)


@pytest.mark.parametrize("name", NAMES)
def test_damage_is_one_kind_of_error(name: str) -> None:
    """Cut or flipped anywhere, a payload gives a picture of its header's size or a PayloadError."""
    data = CODEC.compress(Picture(pixels=photo(24, 30)), 50, name)
    for at in range(0, len(data), 5):
        for broken in (data[:at], data[:at] + bytes((data[at] ^ 0xFF,)) + data[at + 1 :]):
            try:
                decoded = Codec.decode(broken)
            except PayloadError:
                continue
            assert (decoded.pixels.shape[1], decoded.pixels.shape[0]) == decoded.header.compact_size


def test_what_is_neither_is_no_payload() -> None:
    """Other content is refused by name."""
    with pytest.raises(PayloadError, match="neither JPEG nor AVIF"):
        Codec.decode(b"GIF89a")


@pytest.mark.parametrize("kind", [kind for kind in KINDS if KINDS[kind].reader])
def test_every_stored_kind_has_its_reader(kind: str) -> None:
    """The class that the table of kinds names is there, made once, and those of compact pictures know their files."""
    reader = reader_of(kind)
    assert reader is reader_of(kind)
    assert callable(reader.read)
    if kind in COMPACT:
        assert not reader.recognises(b"GIF89a")  # type: ignore[attr-defined]
