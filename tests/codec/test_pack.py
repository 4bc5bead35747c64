"""Lossless recompression of payloads."""

from __future__ import annotations

import sys
import zlib

import numpy as np
import pytest

from batchcomp.codec import dct, jpeg, pack, payload
from batchcomp.codec.codec import Codec
from batchcomp.codec.compact import Compact
from batchcomp.codec.pack import model
from batchcomp.errors import PayloadError, UsageError
from batchcomp.images.picture import Metadata, Picture, Pixels
from tests.cli.samples import photo
from tests.codec.conftest import tiny_model

CODEC = Codec(tiny_model())


METADATA = Metadata(exif=b"II*\0\x08\0\0\0\0\0\0\0\0\0", icc=b"p" * 70_000, xmp=b"<x:xmpmeta/>", dpi=(300, 240))


def made(pixels: Pixels, quality: float = 50, metadata: Metadata | None = None) -> tuple[bytes, Compact]:
    (compact,) = CODEC.compact([Picture(pixels=pixels, metadata=metadata or Metadata())], quality)
    return CODEC.encode(compact), compact


def packed(pixels: Pixels, quality: float = 50, metadata: Metadata | None = None) -> tuple[bytes, bytes]:
    data, compact = made(pixels, quality, metadata)
    small = pack.pack(data, compact.coefficients, compact.tables)
    assert small is not None
    return data, small


def noise(height: int, width: int, channels: int = 3) -> Pixels:
    rng = np.random.default_rng(0)
    return (rng.integers(0, 2, (height, width, channels)) * 255).astype(np.uint8)


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (33, 17), (120, 161)])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("quality", [1, 50, 73.21, 100])
def test_unpacking_gives_the_very_bytes(size: tuple[int, int], channels: int, quality: float) -> None:
    """Any payload that packs comes back byte for byte; one that would grow is left alone."""
    data, compact = made(photo(*size, channels=channels), quality)
    small = pack.pack(data, compact.coefficients, compact.tables)
    if small is not None:
        assert len(small) < len(data)
        assert pack.unpack(small) == data


def test_noise_at_the_finest_quality_packs_or_stays() -> None:
    """The largest coefficients there are go through the escape codes and back."""
    data, compact = made(noise(90, 70), 100)
    tables = np.ones((2, 8, 8), np.int64)
    finest = payload.insert(jpeg.encode(noise(45, 35), tables), compact.header)
    largest = dct.coefficients(noise(45, 35), tables)
    assert largest.max() > 400
    for file, found, used in ((data, compact.coefficients, compact.tables), (finest, largest, tables)):
        small = pack.pack(file, found, used)
        assert small is None or pack.unpack(small) == file


def test_a_photo_shrinks_by_a_tenth_at_least() -> None:
    """What packing is for."""
    data, small = packed(photo(400, 500), 40)
    assert len(small) < 0.9 * len(data)


def test_metadata_and_header_survive() -> None:
    """A packed payload is read like a plain one, header, metadata, count and pixels."""
    data, small = packed(photo(61, 90), 66.5, METADATA)
    plain, other = Codec.decode(data), Codec.decode(small)
    assert other.header == plain.header
    assert other.metadata == plain.metadata == METADATA
    assert np.array_equal(other.pixels, plain.pixels)
    assert len(small) < len(data) - 60_000  # a profile of one letter deflates
    assert pack.unpack(small) == data


def test_bands_bound_memory_and_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """However high a picture, what is coded at once has so many blocks; bands come back in order."""
    monkeypatch.setattr(pack, "_BAND_BLOCKS", 20)
    data, small = packed(photo(200, 170))
    assert pack.unpack(small) == data
    assert [band.stop - band.start for band in pack._bands(13, 11)] == [1] * 13
    assert [(band.start, band.stop) for band in pack._bands(7, 6)] == [(0, 3), (3, 6), (6, 7)]


def test_foreign_tables_cost_bytes_but_work() -> None:
    """Tables that the packer does not expect, from other models, are written in full."""
    rng = np.random.default_rng(1)
    tables = rng.integers(1, 256, (2, 8, 8))
    _, compact = made(photo(90, 120))
    data = payload.insert(jpeg.encode(compact.pixels, tables), compact.header)
    small = pack.pack(data, compact.coefficients, tables)
    assert small is None or pack.unpack(small) == data


def test_what_is_not_its_pixels_is_not_packed() -> None:
    """A payload that pixels and tables do not explain stays as it is."""
    data, compact = made(photo(64, 64))
    assert pack.pack(data, compact.coefficients[:, ::-1].copy(), compact.tables) is None


def test_damage_is_found() -> None:
    """Cut or flipped anywhere, a packed payload is an error or, in the 16 bits for exactness, says so."""
    data, small = packed(photo(24, 24))
    for at in range(len(small)):
        for broken in (small[:at], small[:at] + bytes((small[at] ^ 0x10,)) + small[at + 1 :]):
            try:
                again = pack.unpack(broken)
            except PayloadError:
                continue
            assert again == data


def test_another_optimiser_is_no_damage(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the JPEG would be written otherwise, unpacking says why and decoding goes on."""
    _, small = packed(photo(40, 40))
    monkeypatch.setattr(pack.jpeg, "squeeze", lambda data: data)
    with pytest.raises(PayloadError, match=r"intact.*optimiser"):
        pack.unpack(small)
    assert Codec.decode(small).pixels.shape == (20, 20, 3)


def test_other_networks_are_named() -> None:
    """A payload of another packer names both and asks for an upgrade."""
    _, small = packed(photo(40, 40))
    with pytest.raises(PayloadError, match="packed with networks 00000000, this version has"):
        pack.unpack(small[:4] + bytes(4) + small[8:])


def test_a_missing_extra_is_a_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the library the error names the extra."""
    _, small = packed(photo(40, 40))
    monkeypatch.setitem(sys.modules, "constriction", None)
    with pytest.raises(UsageError, match="pip install constriction"):
        pack.unpack(small)


def test_large_pictures_stay_jpeg_and_forged_sizes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the ceiling nothing is packed, and nothing that claims to be is decoded."""
    data, small = packed(photo(64, 64))
    _, compact = made(photo(64, 64))
    monkeypatch.setattr(pack, "MAX_PIXELS", 32 * 32 - 1)
    assert pack.pack(data, compact.coefficients, compact.tables) is None
    with pytest.raises(PayloadError, match="32x32 is more than is ever packed"):
        pack.unpack(small)


def test_a_deflated_front_cannot_fill_the_memory() -> None:
    """A forged front that would unpack without end is cut, and then is no header."""
    bomb = zlib.compress(bytes(50_000_000), 9)
    head = pack.HEAD.pack(pack.MAGIC, model.shipped().key, 0, 0, len(bomb) | 1 << 31)
    with pytest.raises(PayloadError):
        pack.unpack(head + bomb)
