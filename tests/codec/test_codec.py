"""One picture to one payload and back."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from batchcomp.codec import codec as codec_module
from batchcomp.codec import dct, jpeg, payload, plain_jpeg, weights
from batchcomp.codec.codec import Codec, choose_device
from batchcomp.codec.networks.residual import ResidualNetwork
from batchcomp.codec.networks.residual_shape import ResidualArchitecture
from batchcomp.codec.resample import upscale
from batchcomp.codec.tables import quality_to_coarseness, tables_at
from batchcomp.errors import PayloadError, UsageError
from batchcomp.images.picture import Metadata, Picture
from tests.codec.conftest import tiny_model


def picture(height: int, width: int, channels: int = 3, *, seed: int = 0, metadata: Metadata | None = None) -> Picture:
    """A smooth picture with a little noise, so that it compresses as photos do."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    waves = [127 + 90 * np.sin(x / (9 + 4 * c)) * np.cos(y / (13 - 3 * c)) for c in range(channels)]
    noisy = np.stack(waves, axis=2) + rng.normal(0, 4, (height, width, channels))
    return Picture(pixels=np.clip(noisy, 0, 255).astype(np.uint8), metadata=metadata or Metadata())


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (7, 8), (16, 16), (33, 17), (641, 479)])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_picture_comes_back_in_its_own_size_and_mode(codec: Codec, size: tuple[int, int], channels: int) -> None:
    """Any size from 1x1 up, greyscale or RGB, keeps its shape."""
    original = picture(*size, channels)
    restored = codec.restore(codec.compress(original, 90))
    assert restored.pixels.shape == original.pixels.shape
    assert restored.pixels.dtype == np.uint8


@given(st.integers(1, 70), st.integers(1, 70), st.sampled_from([1, 3]), st.integers(1, 100))
@settings(max_examples=25, deadline=None)
def test_any_small_picture_round_trips(height: int, width: int, channels: int, quality: int) -> None:
    """Shape and header survive for every size, mode and quality."""
    codec = Codec(MODEL)
    data = codec.compress(picture(height, width, channels), quality)
    header = payload.parse(data)
    assert (header.height, header.width, header.quality, header.grey) == (height, width, quality, channels == 1)
    assert codec.restore(data).pixels.shape == (height, width, channels)


MODEL = tiny_model()


def test_untrained_nets_are_exactly_bicubic_and_jpeg() -> None:
    """With the last convolutions at zero the codec is bicubic half size, JPEG, bicubic double size."""
    network = ResidualNetwork(ResidualArchitecture(com_width=8, com_blocks=1, rec_width=8, rec_blocks=1))
    with torch.no_grad():
        for trunk in (network.com.trunk, network.rec.trunk):
            trunk.tail.weight.zero_()
    codec = Codec(weights.from_bytes(weights.to_bytes(network), "zero"))
    original = picture(64, 96)
    data = codec.compress(original, 50)
    half = Image.fromarray(original.pixels).resize((48, 32), Image.Resampling.BICUBIC)
    with Image.open(io.BytesIO(data)) as compact:
        tables = tables_at(network.log_tables.detach().numpy(), quality_to_coarseness(50))
        expected = jpeg.decode(jpeg.encode(np.asarray(half), tables))[0]
        assert np.abs(np.asarray(compact).astype(int) - expected.astype(int)).mean() < 1
        x = torch.from_numpy(np.array(compact)).permute(2, 0, 1)[None].float() / 255
    doubled = (upscale(x, 2).clamp(0, 1) * 255).round()[0].permute(1, 2, 0).numpy()
    assert np.array_equal(codec.restore(data).pixels, doubled.astype(np.uint8))


def test_the_payload_is_a_standard_jpeg_with_at_most_32_bytes_of_ours(codec: Codec) -> None:
    """Pillow opens the payload as a half-size progressive JPEG; our segment costs 21 bytes."""
    data = codec.compress(picture(64, 101), 50)
    with Image.open(io.BytesIO(data)) as image:
        assert (image.format, image.size, image.mode) == ("JPEG", (51, 32), "RGB")
        assert image.info["progressive"]
        image.load()
    ours = [s for s in payload.segments(data) if s.marker == payload.APP10]
    assert [s.end - s.start for s in ours] == [21]


def test_metadata_travels_in_the_payload(codec: Codec) -> None:
    """EXIF, ICC, XMP and density come back byte for byte, and their bytes are counted."""
    exif = Image.Exif()
    exif[0x0112] = 6
    metadata = Metadata(
        exif=exif.tobytes().removeprefix(b"Exif\0\0"), icc=b"p" * 70_000, xmp=b"<x:xmpmeta/>", dpi=(300, 300)
    )
    data = codec.compress(picture(20, 30, metadata=metadata), 50)
    assert codec.restore(data).metadata == metadata
    plain = codec.compress(picture(20, 30), 50)
    assert len(data) - len(plain) == payload.metadata_bytes(data) + 18  # and a JFIF segment for the density


def test_pixels_that_nobody_needs_go_while_the_network_runs(codec: Codec) -> None:
    """The compact picture is the same; by the end all rows were given back, and none where they are kept."""
    pixels, gone = picture(700, 90).pixels, list[int]()

    def give_back(rows: int) -> None:
        one.pixels[:rows] = 0
        gone.append(rows)

    one = Picture(pixels=pixels, give_back=give_back)
    expected = codec.compact([one], 60)[0]
    assert not gone
    found = codec.compact([one], 60, keep=False)[0]
    assert np.array_equal(found.pixels, expected.pixels)
    assert gone[-1] == 700


def test_an_encoder_needs_no_more_than_a_band_of_coefficients(codec: Codec, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are made band by band, or taken from those that were asked for before: the same file."""
    monkeypatch.setattr(dct, "_BAND_BLOCKS", 20)
    compact = codec.compact([picture(170, 90)], 60)[0]
    at_once = replace(compact, refined=compact.coefficients)
    fresh = replace(compact)
    files = [codec.encode(one) for one in (fresh, compact, at_once)]
    assert files[0] == files[1] == files[2]
    assert "coefficients" not in vars(fresh)
    parts = [list(one.bands()) for one in (fresh, compact)]
    assert len(parts[0]) == len(parts[1]) == 4
    for found in parts:
        assert np.array_equal(np.concatenate(found, axis=1), compact.coefficients)


def test_more_quality_is_more_bytes_and_more_fidelity(codec: Codec) -> None:
    """Quality is monotone: bytes rise and the error falls from 1 to 100."""
    original = picture(96, 128)
    payloads = [codec.compress(original, quality) for quality in (1, 25, 50, 75, 100)]
    compacts = [codec.compact([original], q)[0].pixels.astype(int) for q in (1, 25, 50, 75, 100)]
    errors = [
        np.square(jpeg.decode(data)[0].astype(int) - compact).mean()
        for data, compact in zip(payloads, compacts, strict=True)
    ]
    sizes = [len(data) for data in payloads]
    assert sizes == sorted(set(sizes))
    assert errors == sorted(errors, reverse=True)


@pytest.mark.parametrize("unshuffle", [4, 8])
def test_tiles_equal_the_whole_picture(monkeypatch: pytest.MonkeyPatch, unshuffle: int) -> None:
    """Whatever the tile, payload and pixels are those of the picture run at once, seams and borders too."""
    codec, original = Codec(tiny_model(unshuffle=unshuffle)), picture(107, 171)
    whole = codec.compress(original, 70)
    restored = codec.restore(whole).pixels.astype(int)
    monkeypatch.setattr(codec_module.tiles, "ROOM", 0)
    for tile in (32, 64):
        monkeypatch.setattr(codec_module.tiles, "TILE", tile)
        compact = codec.compact([original], 70)[0].pixels.astype(int)
        monkeypatch.setattr(codec_module.tiles, "TILE", 10_000)
        untiled = codec.compact([original], 70)[0].pixels
        assert np.abs(compact - untiled).max() <= 1  # float sums may round the other way
        assert np.mean(compact != untiled) < 1e-3
        monkeypatch.setattr(codec_module.tiles, "TILE", tile)
        difference = np.abs(codec.restore(whole).pixels.astype(int) - restored)
        assert difference.max() <= 1
        assert np.mean(difference) < 1e-3


def test_batches_mix_sizes_and_models(codec: Codec) -> None:
    """A batch of pictures of several sizes and models gives what each alone gives."""
    other = Codec(tiny_model(seed=1))
    pictures = [picture(40, 60), picture(33, 21, 1, seed=1), picture(40, 60, seed=2)]
    batched = Codec(MODEL, batch=3, threads=2)
    together = [Codec.encode(c) for c in batched.compact(pictures, 60)]
    assert together == [codec.compress(p, 60) for p in pictures]
    foreign = other.compress(pictures[0], 60)
    batched._models[bytes.fromhex(other.model.sha256)[: payload.MODEL_BYTES]] = other.model
    restored = batched.reconstruct([Codec.decode(data) for data in (*together, foreign)])
    alone = [*(codec.restore(data) for data in together), other.restore(foreign)]
    for one, two in zip(restored, alone, strict=True):
        assert np.array_equal(one.pixels, two.pixels)


def noise(side: int, channels: int = 3) -> Picture:
    """The worst picture for a JPEG: black and white by chance."""
    rng = np.random.default_rng(0)
    return Picture(pixels=(rng.integers(0, 2, (side, side, channels)) * 255).astype(np.uint8))


@pytest.mark.parametrize("channels", [1, 3])
def test_noise_at_the_finest_quality_still_makes_a_file(channels: int) -> None:
    """JPEGs that need more bytes than pixels are written too, ours and the plain ones."""
    pixels = noise(300, channels).pixels
    finest = np.ones((2, 8, 8), np.int64)
    assert jpeg.decode(jpeg.encode(pixels, finest))[0].shape == pixels.shape
    for quality in (94, 100):
        assert jpeg.decode(plain_jpeg.encode(pixels, quality))[0].shape == pixels.shape


def test_a_jpeg_beyond_pillows_own_limit_is_decoded() -> None:
    """Sizes are checked against the header, so Pillow's ceiling for unknown files does not apply."""
    pixels = np.zeros((13_500, 13_500, 1), np.uint8)
    assert jpeg.decode(plain_jpeg.encode(pixels, 30), expected=(13_500, 13_500))[0].shape == pixels.shape


def test_a_payload_of_an_unknown_model_is_a_clear_error(codec: Codec) -> None:
    """The error names the model that is missing and the option that brings it."""
    data = Codec(tiny_model(seed=7)).compress(picture(8, 8), 50)
    with pytest.raises(PayloadError, match=r"model [0-9a-f]{8} is needed.*--model FILE"):
        codec.restore(data)


def test_damaged_payloads_raise_one_kind_of_error(codec: Codec) -> None:
    """Cut or flipped anywhere, a payload decodes to something of the right size or raises PayloadError."""
    data = bytearray(codec.compress(picture(24, 24), 50))
    for at in range(0, len(data), 7):
        for broken in (bytes(data[:at]), bytes([*data[:at], data[at] ^ 0xFF, *data[at + 1 :]])):
            try:
                restored = codec.restore(broken)
            except PayloadError:
                continue
            header = payload.parse(broken)
            assert restored.pixels.shape[:2] == (header.height, header.width)


def test_a_forged_size_is_refused_before_any_pixel_is_decoded(codec: Codec) -> None:
    """A header that claims gigapixels, or not the JPEG's size, is an error."""
    data = codec.compress(picture(24, 24), 50)
    at = data.index(payload.IDENTIFIER) + payload.SHORT.size - 4
    for width, height in ((65_000, 65_000), (26, 24)):
        forged = data[:at] + width.to_bytes(2, "big") + height.to_bytes(2, "big") + data[at + 4 :]
        with pytest.raises(PayloadError):
            codec.restore(forged)


def test_a_later_payload_version_asks_for_an_upgrade(codec: Codec) -> None:
    """A payload of a version to come names both versions and the next step."""
    data = codec.compress(picture(8, 8), 50)
    at = data.index(payload.IDENTIFIER) + len(payload.IDENTIFIER)
    with pytest.raises(PayloadError, match="payload version 2: this build reads up to 1; upgrade"):
        codec.restore(data[:at] + b"\2" + data[at + 1 :])


def test_a_plain_jpeg_is_no_payload() -> None:
    """A JPEG without our segment says so."""
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, "JPEG")
    with pytest.raises(PayloadError, match="plain JPEG"):
        Codec.decode(buffer.getvalue())


def test_an_absent_device_is_a_usage_error() -> None:
    """An unknown device names the choices."""
    with pytest.raises(UsageError, match="expected one of auto, cpu, cuda, mps"):
        choose_device("tpu")


@pytest.mark.parametrize("quality", [0, 101])
def test_quality_outside_its_range_is_refused(codec: Codec, quality: int) -> None:
    """Quality is 1 to 100."""
    with pytest.raises(ValueError, match="expected 1 to 100"):
        codec.compress(picture(8, 8), quality)


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_gives_nearly_the_pixels_of_the_cpu() -> None:
    """A GPU's compact picture differs from the CPU's by rounding at most."""
    original = picture(200, 300)
    cpu, gpu = (Codec(tiny_model(), device=d).compact([original], 60)[0].pixels.astype(int) for d in ("cpu", "cuda"))
    assert np.abs(cpu - gpu).max() <= 1
