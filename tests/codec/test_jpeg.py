"""The JPEG files we write."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from batchcomp.codec import jpeg, payload
from batchcomp.images.jpeg_segments import is_metadata
from batchcomp.images.picture import Metadata
from tests.cli.samples import photo

METADATA = Metadata(exif=b"II*\0\x08\0\0\0\0\0\0\0\0\0", icc=b"p" * 70_000, xmp=b"<x:xmpmeta/>", dpi=(300, 240))
TABLES = np.full((2, 8, 8), 12, np.int64)


def pillow_file(pixels: np.ndarray, **options: object) -> bytes:
    buffer = io.BytesIO()
    image = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
    image.save(buffer, "JPEG", **options)
    return buffer.getvalue()


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [(1, 1), (8, 9), (64, 100)])
@pytest.mark.parametrize("options", [{}, {"progressive": True, "optimize": True}, {"subsampling": 0, "quality": 95}])
def test_squeezing_changes_bytes_but_no_pixel(size: tuple[int, int], channels: int, options: dict[str, object]) -> None:
    """The squeezed file has the same pixels and tables and is never larger."""
    data = pillow_file(photo(*size, channels=channels), **options)
    squeezed = jpeg.squeeze(data)
    assert len(squeezed) <= len(data)
    with Image.open(io.BytesIO(data)) as one, Image.open(io.BytesIO(squeezed)) as two:
        assert one.quantization == two.quantization
        assert (one.size, one.mode) == (two.size, two.mode)
        assert np.array_equal(np.asarray(one), np.asarray(two))


def test_squeezing_saves_what_scan_scripts_and_code_tables_cost() -> None:
    """A photo's progressive file shrinks by some percent, not by an empty header alone."""
    data = pillow_file(photo(200, 300), quality=50, progressive=True, optimize=True)
    assert len(jpeg.squeeze(data)) < 0.99 * len(data) - 18


def test_squeezing_keeps_every_metadata_segment() -> None:
    """EXIF, a profile of several segments, XMP, comments, foreign segments and density survive in order."""
    data = pillow_file(
        photo(40, 50), exif=b"Exif\0\0" + METADATA.exif, icc_profile=METADATA.icc, xmp=METADATA.xmp, comment=b"hello"
    )
    with_density = pillow_file(photo(40, 50), dpi=(300, 240))
    for file in (data, with_density):
        squeezed = jpeg.squeeze(file)
        kept = [file[s.start : s.end] for s in payload.segments(file) if is_metadata(s.marker)]
        found = [squeezed[s.start : s.end] for s in payload.segments(squeezed) if is_metadata(s.marker)]
        assert len(squeezed) < len(file)
        assert found == [segment for segment in kept if segment[4:] != b"JFIF\0\1\1\0\0\1\0\1\0\0"]
    assert jpeg.decode(jpeg.squeeze(with_density))[1].dpi == (300, 240)


def test_what_cannot_be_squeezed_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where MozJPEG refuses or gains nothing, the file is Pillow's."""
    data = pillow_file(photo(40, 50))
    once = jpeg.squeeze(data)
    assert jpeg.squeeze(once) == once

    def refuse(*_: object, **__: object) -> bytes:
        raise ValueError

    monkeypatch.setattr(jpeg.mozjpeg, "optimize", refuse)
    assert jpeg.squeeze(data) == data


@pytest.mark.parametrize("channels", [1, 3])
def test_a_file_without_jfif_opens_in_its_own_colours(channels: int) -> None:
    """Our files begin without a JFIF segment, and a decoder still takes them for YCbCr or grey."""
    pixels = photo(64, 64, channels=channels)
    data = jpeg.encode(pixels, TABLES)
    assert all(s.marker != payload.APP0 for s in payload.segments(data))
    back = jpeg.decode(data)[0]
    assert back.shape == pixels.shape
    assert np.abs(back.astype(int) - pixels).mean() < 6


def test_metadata_and_density_come_back() -> None:
    """What goes in beside the pixels comes out."""
    assert jpeg.decode(jpeg.encode(photo(20, 30), TABLES, METADATA))[1] == METADATA
