"""Lossless recompression of payloads."""

from __future__ import annotations

import sys
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchcomp.codec import dct, jpeg, pack, payload
from batchcomp.codec.codec import Codec
from batchcomp.codec.compact import Compact
from batchcomp.codec.pack import coder, context, model
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
    with pytest.raises(UsageError, match=r"pip install 'batchcomp\[pack\]'"):
        pack.unpack(small)


def test_probabilities_do_not_depend_on_the_order_of_sums() -> None:
    """All sums stay below 2^24, where float32 is exact: the networks give what whole numbers give."""
    packer = model.shipped()
    rng = np.random.default_rng(2)
    for net in (*packer.ac, *packer.dc):
        count, _, features = net.first.shape
        k = int(rng.integers(0, count)) + (count > 1)
        x = rng.integers(-255, 256, (features, 50)).astype(np.float32)
        at = max(0, k - 1)
        assert float((np.abs(net.first[at]) * 255).sum(axis=1).max() + np.abs(net.first_bias[at]).max()) < 2**24
        assert float((np.abs(net.second) * 255).sum(axis=1).max() + np.abs(net.second_bias).max()) < 2**24
        whole = [layer.astype(np.int64) for layer in (net.first[at], net.first_bias[at], net.second, net.second_bias)]
        h = np.clip((whole[0] @ x.astype(np.int64) + whole[1]) // 32, 0, 255)
        h = np.clip((whole[2] @ h + whole[3]) // 64, 0, 255)
        expected = (net.last.astype(np.int64) @ h + net.last_bias[at].astype(np.int64)) // 16
        assert np.array_equal(net.logits(k, x), expected)


def test_the_scales_are_the_same_on_every_machine() -> None:
    """No entry of the logarithmic tables is near a half, where another `log2` could round the other way."""
    for values in (16 * np.log2(1 + np.arange(4096)), 16 * np.log2(np.arange(1, 256))):
        assert np.abs(values % 1 - 0.5).min() > 1e-5


def test_features_stay_small() -> None:
    """Features are whole and at most 255 in size, whatever the coefficients."""
    rng = np.random.default_rng(3)
    planes = []
    for number in range(3):
        plane = context.Plane(5, 6, rng.integers(1, 256, (8, 8)))
        truth = plane.flatten(rng.integers(-1023, 1024, (5, 6, 8, 8)).astype(np.int16))
        found = context.DcContext(plane, planes, 50)
        for y, x in context.diagonals(5, 6):
            features, _, terms = found.at(y, x)
            assert features.shape == (context.DC_FEATURES[number], len(y))
            assert terms.shape == (context.DC_TERMS[number], len(y))
            assert np.abs(features).max() <= 255
            plane.put_dc(y, x, truth[0, plane.flat(y, x)])
        plane.finish_dc()
        around = context.AcContext(plane, planes, 50)
        for k in range(1, 64):
            around.begin(k)
            for colour in (0, 1):
                features = around.at(colour)
                assert features.shape == (context.AC_FEATURES[number], 15)
                assert np.abs(features).max() <= 255
                assert np.array_equal(features, np.rint(features))
                plane.put(k, plane.passes[colour], truth[k, plane.passes[colour]])
        planes.append(plane)


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (7, 1), (4, 9), (9, 4)])
def test_diagonals_take_each_block_once_and_after_its_neighbours(size: tuple[int, int]) -> None:
    """Every block comes once, after its left, upper left, upper and upper right neighbours."""
    order = {(int(y), int(x)): n for n, part in enumerate(context.diagonals(*size)) for y, x in zip(*part, strict=True)}
    assert len(order) == size[0] * size[1]
    for (y, x), n in order.items():
        for other in ((y, x - 1), (y - 1, x - 1), (y - 1, x), (y - 1, x + 1)):
            assert order.get(other, -1) < n


@given(st.lists(st.tuples(st.integers(1, (1 << 22) - 1), st.booleans()), max_size=300))
@settings(deadline=None)
def test_decisions_come_back(decisions: list[tuple[int, bool]]) -> None:
    """Whatever the odds, each decision is read as it was written."""
    odds, bits = np.array([n / (1 << 22) for n, _ in decisions]), np.array([bit for _, bit in decisions], bool)
    to = coder.RangeWriter()
    to.code(odds, bits)
    assert np.array_equal(coder.RangeReader(to.finish()).code(odds), bits)


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
