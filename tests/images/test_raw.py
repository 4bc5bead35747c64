"""Camera raw files: developed where the extra is installed, named with what to do where it is not."""

from __future__ import annotations

import io
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from batchcomp.errors import PictureError, UnsupportedPictureError
from batchcomp.images import raw
from batchcomp.images.isolated import Decoders
from batchcomp.images.load import decode_picture
from batchcomp.images.sizes import estimate_bytes
from batchcomp.images.tiff_tags import TiffFile, orientation_of
from batchcomp.settings import Limits
from tests.images.raw_files import dng

needs_rawpy = pytest.mark.skipif(find_spec("rawpy") is None, reason="no extra [raw]")


@needs_rawpy
def test_a_raw_file_is_developed() -> None:
    """What the sensor saw comes out as colours: the right half is red, the left half is not."""
    found = decode_picture(dng(), "a.dng")
    assert found.pixels.shape == (64, 96, 3)
    left, right = found.pixels[:, :40].mean((0, 1)), found.pixels[:, 56:].mean((0, 1))
    assert right[0] > 1.5 * right[1]
    assert left[0] < left[1]


@needs_rawpy
def test_exif_is_kept_without_what_points_into_the_file() -> None:
    """Maker, model, date and exposure are there; the maker's notes are not, however large, nor tags of the sensor."""
    exif = decode_picture(dng(maker=b"n" * 70_000), "a.DNG").metadata.exif
    tags = {tag.number: tag for tag in TiffFile(exif).first()}
    assert tags[271].value == b"Maker\0"
    assert {tag.number: tag.value for tag in tags[34_665].below}[36_867] == b"2026:11:01 12:00:00\0"
    assert 37_500 not in {tag.number for tag in tags[34_665].below}
    assert not {256, 273, 50_706, 50_721} & set(tags)
    assert len(exif) < 500


@needs_rawpy
@pytest.mark.parametrize(("orientation", "shape"), [(1, (64, 96)), (3, (64, 96)), (6, (96, 64)), (8, (96, 64))])
def test_pixels_stand_upright(orientation: int, shape: tuple[int, int]) -> None:
    """LibRaw turns them, and EXIF says so."""
    found = decode_picture(dng(orientation=orientation), "a.dng")
    assert found.pixels.shape[:2] == shape
    assert orientation_of(found.metadata.exif) == 1


@needs_rawpy
@pytest.mark.parametrize("cut", [3, 9, 200, 700, 5000])
def test_what_is_cut_off_is_a_failure(cut: int) -> None:
    """One line that names the file; never another error, never a picture of half a sensor."""
    data = dng()
    with pytest.raises(PictureError, match=r"a\.dng: "):
        decode_picture(data[: len(data) * cut // 10_000 + cut % 10], "a.dng")


@needs_rawpy
def test_forged_bytes_are_failures() -> None:
    """Whatever bytes are flipped in its directories, the end is a picture or a line that names the file."""
    data, rng, told = dng(32, 16), np.random.default_rng(3), []
    for _ in range(60):
        forged = bytearray(data)
        for at in rng.integers(8, 700, 6):
            forged[at] = rng.integers(0, 256)
        with Decoders(1) as decoders:
            try:
                assert decoders.decode(bytes(forged), "a.dng").pixels.size
            except PictureError as error:
                told.append(str(error))
    assert told
    assert all(text.startswith("a.dng: ") for text in told)


@needs_rawpy
def test_limits_hold_before_it_is_developed() -> None:
    """Sides come from its header."""
    with pytest.raises(PictureError, match="96 x 64 pixels exceed the limit"):
        decode_picture(dng(), "a.dng", limits=Limits(max_pixels=5000))


@pytest.mark.parametrize("data", [b"II*\0\x08\0\0\0", b"not raw at all" * 9, b"\xff" * 200])
def test_no_raw_file_under_its_name(data: bytes) -> None:
    """Garbage is a failure, with or without the extra."""
    with pytest.raises(PictureError, match=r"a\.nef: "):
        decode_picture(data, "a.nef")


@needs_rawpy
def test_an_unknown_camera_is_no_damage() -> None:
    """What begins like a raw file and is of no camera that LibRaw knows is stored as it is; garbage is not."""
    buffer = io.BytesIO()
    Image.new("RGB", (40, 30)).save(buffer, "TIFF")
    with pytest.raises(UnsupportedPictureError, match="kind of camera raw file that is not decoded here"):
        decode_picture(buffer.getvalue(), "a.nef")
    with pytest.raises(PictureError, match="damaged camera raw file") as caught:
        decode_picture(b"not raw at all" * 9, "a.nef")
    assert not isinstance(caught.value, UnsupportedPictureError)


def test_without_the_extra_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """What to install, and how to carry it along as it is."""
    monkeypatch.setattr(raw, "has_decoder", lambda: False)
    with pytest.raises(PictureError) as caught:
        decode_picture(dng(), "a.nef")
    text = str(caught.value)
    assert text.startswith("a.nef: camera raw pictures need one more package; pip install 'batchcomp[raw]'")
    assert "--verbatim '*.nef'" in text


def test_a_picture_under_a_raw_name_is_that_picture() -> None:
    """A JPEG called .nef is a JPEG, as before."""
    buffer = io.BytesIO()
    Image.new("RGB", (20, 10)).save(buffer, "JPEG")
    assert decode_picture(buffer.getvalue(), "a.nef").pixels.shape == (10, 20, 3)


def test_memory_is_told_from_the_files_size(tmp_path: Path) -> None:
    """Its header shows the thumbnail's size only."""
    (tmp_path / "a.dng").write_bytes(dng())
    assert estimate_bytes(tmp_path / "a.dng") == 3 * len(dng())
    assert estimate_bytes(tmp_path / "gone.dng") == 0
