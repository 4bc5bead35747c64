"""Large JPEG files come out as Pillow gives them, without its copy."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

from batchcomp.errors import PictureError
from batchcomp.images import large_jpeg
from batchcomp.images.load import decode_picture
from batchcomp.images.picture import Pixels
from batchcomp.images.pillow_array import plain_memory


def jpeg(mode: str, height: int, width: int, **options: Any) -> bytes:
    rng = np.random.default_rng(height)
    small = Image.fromarray(rng.integers(0, 256, (height // 4 + 1, width // 4 + 1, 3), dtype=np.uint8))
    file = io.BytesIO()
    small.resize((width, height)).convert(mode).save(file, "JPEG", **options)
    return file.getvalue()


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes, int], Pixels]:
    """Decode a file as if pictures were large from so many pixels on."""

    def decode(data: bytes, least: int) -> Pixels:
        monkeypatch.setattr(large_jpeg, "LEAST", least)
        return decode_picture(data, "a.jpg").pixels

    return decode


@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize(("height", "width"), [(1, 1), (7, 8), (41, 79)])
def test_its_pixels_are_those_of_pillow(
    decoded: Callable[[bytes, int], Pixels], subsampling: int, height: int, width: int, *, progressive: bool
) -> None:
    """Each usual subsampling, sequential and progressive, on odd sizes, to the bit."""
    data = jpeg("RGB", height, width, subsampling=subsampling, progressive=progressive, quality=80)
    assert np.array_equal(decoded(data, 1), decoded(data, 10**9))


@pytest.mark.parametrize("options", [{}, {"keep_rgb": True}])
def test_grey_and_stored_rgb_too(decoded: Callable[[bytes, int], Pixels], options: dict[str, bool]) -> None:
    """One channel stays one; RGB that was never turned into YCbCr stays as it is."""
    data = jpeg("RGB" if options else "L", 33, 50, **options)
    found = decoded(data, 1)
    assert found.shape == (33, 50, 3 if options else 1)
    assert np.array_equal(found, decoded(data, 10**9))


def test_memory_is_asked_for_once_and_filled() -> None:
    """What the caller gives holds the pixels: nothing is copied."""
    asked: list[Pixels] = []

    def memory(shape: tuple[int, int, int]) -> Pixels:
        asked.append(plain_memory(shape))
        return asked[-1]

    data = jpeg("RGB", 40, 30)
    with Image.open(io.BytesIO(data)) as image:
        found = large_jpeg.pixels_of(image, data, memory)  # type: ignore[arg-type]
        expected = np.asarray(image)
    assert found is asked[0]
    assert len(asked) == 1
    assert np.array_equal(asked[0], expected)


def test_what_it_refuses_goes_to_pillow(decoded: Callable[[bytes, int], Pixels]) -> None:
    """A subsampling that its interface does not know is decoded all the same: here luma coarser than chroma."""
    data = bytearray(jpeg("RGB", 32, 32, subsampling=0))
    frame = data.index(b"\xff\xc0") + 10
    assert data[frame + 1] == 0x11
    data[frame + 4] = 0x12  # Cb of twice the rows: the scan is too short for it, so it is damage for Pillow
    with pytest.raises(PictureError, match="JPEG file"):
        decoded(bytes(data), 1)
    with Image.open(io.BytesIO(data)) as image:
        assert large_jpeg.pixels_of(image, bytes(data), plain_memory) is None  # type: ignore[arg-type]


def test_a_file_that_is_cut_off_is_still_found(decoded: Callable[[bytes, int], Pixels]) -> None:
    """It says so in the same words as a small one."""
    data = jpeg("RGB", 64, 64, quality=95)[:-300]
    reasons = []
    for least in (1, 10**9):
        with pytest.raises(PictureError) as found:
            decoded(data, least)
        reasons.append(str(found.value))
    assert reasons[0] == reasons[1]


def test_small_ones_and_other_modes_are_pillows() -> None:
    """Below the limit, and with four channels, nothing changes."""
    large = Image.new("RGB", (10_000, 5_000))
    for image, serves in ((large, True), (large.convert("CMYK"), False), (large.crop((0, 0, 9_999, 5_000)), False)):
        image.format = "JPEG"
        assert large_jpeg.serves(image) is serves
