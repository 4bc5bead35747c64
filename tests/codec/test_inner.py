"""The inner codecs, and the header that travels in each of their files."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, features

from batchcomp.codec import payload
from batchcomp.codec.codec import Codec
from batchcomp.codec.compact import Compact
from batchcomp.codec.inner import avif, codec_of, inner_codec, reader_of
from batchcomp.codec.tables import MAX_NETWORK_QUALITY
from batchcomp.errors import PayloadError, UsageError
from batchcomp.images.picture import Metadata, Picture
from batchcomp.images.pillow_warnings import ignore_pillow_warnings
from batchcomp.kinds import CODECS, COMPACT, KINDS
from batchcomp.settings import CompressSettings
from tests.cli.samples import photo
from tests.codec.conftest import tiny_model
from tests.needs import needs, param

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


@given(
    st.builds(
        payload.PayloadHeader,
        width=st.integers(1, payload.MAX_ORIGINAL_SIDE),
        height=st.integers(1, payload.MAX_ORIGINAL_SIDE),
        scale=st.sampled_from([1, 2, 4]),
        quality=st.integers(100, 100 * MAX_NETWORK_QUALITY).map(lambda q: payload.as_number(q / 100)),
        model=st.binary(min_size=4, max_size=4),
        grey=st.booleans(),
    )
)
def test_headers_come_back(header: payload.PayloadHeader) -> None:
    """Every header survives; it takes 17 bytes unless a side needs more than two."""
    content = payload.content_of(header)
    assert payload.header_of(content) == header
    assert len(content) == (17 if max(header.width, header.height) < 65_536 else 21)


@pytest.mark.parametrize("wide", [False, True])
@given(data=st.data())
def test_headers_that_make_no_sense_are_refused(wide: bool, data: st.DataObject) -> None:
    """Whatever one byte of a header becomes, it is read as a header that can be written, or refused."""
    width = 70_000 if wide else 300
    header = payload.PayloadHeader(width=width, height=4, scale=2, quality=100.5, model=b"abcd", grey=False)
    content = bytearray(payload.content_of(header))
    content[data.draw(st.integers(5, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = payload.header_of(bytes(content))
    except PayloadError:
        return
    assert payload.header_of(payload.content_of(found)) == found
    assert found.width <= payload.MAX_ORIGINAL_SIDE
    assert 1 <= found.quality <= MAX_NETWORK_QUALITY


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


@needs("avif")
def test_a_plain_avif_is_no_payload() -> None:
    """Without our box an AVIF is somebody else's."""
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, "AVIF")
    with pytest.raises(PayloadError, match="plain AVIF"):
        Codec.decode(buffer.getvalue())


def test_what_is_neither_is_no_payload() -> None:
    """Other content is refused by name."""
    with pytest.raises(PayloadError, match="neither JPEG nor AVIF"):
        Codec.decode(b"GIF89a")


def test_avif_keeps_out_what_its_decoders_refuse() -> None:
    """A side beyond libavif's limit is an OSError, as JPEG's is; nothing is stored that cannot be read."""
    compact = Compact(
        pixels=np.zeros((1, 40_000, 3), np.uint8),
        header=payload.PayloadHeader(width=80_000, height=2, scale=2, quality=50, model=bytes(4), grey=False),
        tables=np.ones((2, 8, 8), np.int64),
        metadata=Metadata(),
        quality=50,
    )
    with pytest.raises(OSError, match="40000x1"):
        avif.Avif().encode(compact)


def test_avif_levels_never_fall() -> None:
    """The dial is monotone and reaches from coarse to nearly lossless; the network quality fits the header."""
    positions = [sum(avif.level_of(q / 4)) for q in range(4, 401)]
    assert positions == sorted(positions)
    assert 0 <= positions[0] < 25
    assert 60 < positions[-1] < 63
    assert all(1 <= avif.Avif().network_quality(q / 4) <= 100 for q in range(4, 401))


@needs("avif")
def test_our_box_is_skipped_by_the_standard() -> None:
    """The header stands in a `uuid` box behind the picture, so no offset in the file moves."""
    data = CODEC.compress(Picture(pixels=photo(24, 30)), 50, "avif")
    boxes = list(avif._boxes(data))
    kind, start, end = boxes[-1]
    assert (kind, end) == (b"uuid", len(data))
    assert struct.unpack_from(">I", data, start)[0] == 24 + 17
    assert [kind for kind, _, _ in boxes[:-1]] == [b"ftyp", b"meta", b"mdat"]


def test_a_build_without_avif_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Compressing is refused before it begins, and a payload is not called damaged."""
    monkeypatch.setattr(features, "check", lambda part: part != "avif")
    with pytest.raises(UsageError, match="this build of PIL lacks AVIF; install pillow"):
        CompressSettings(paths=(tmp_path,), archive=tmp_path / "a.bca", codec="avif")
    monkeypatch.setattr(avif.AvifImagePlugin, "SUPPORTED", False)
    with pytest.raises(PayloadError, match="an AVIF, which this build of PIL lacks; install pillow"):
        inner_codec("avif").decode(b"", expected=(1, 1))


@pytest.mark.parametrize("kind", [kind for kind in KINDS if KINDS[kind].reader])
def test_every_stored_kind_has_its_reader(kind: str) -> None:
    """The class that the table of kinds names is there, made once, and those of compact pictures know their files."""
    reader = reader_of(kind)
    assert reader is reader_of(kind)
    assert callable(reader.read)
    if kind in COMPACT:
        assert not reader.recognises(b"GIF89a")  # type: ignore[attr-defined]
