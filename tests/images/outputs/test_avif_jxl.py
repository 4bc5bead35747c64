"""AVIF and JPEG XL output: close, the way up that the source has, with EXIF and XMP."""

from __future__ import annotations

import io
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps, features

from batchcomp.errors import PictureError
from batchcomp.images import outputs
from batchcomp.images.alpha import channel
from batchcomp.images.load import load
from batchcomp.images.outputs import jxl, left_out
from batchcomp.images.outputs.base import PROFILE
from batchcomp.images.picture import Metadata, Picture, Pixels
from batchcomp.images.save import save
from batchcomp.images.tiff_tags import UPRIGHT, orientation_of, upright
from tests.images.make import display_p3, exif, profile
from tests.needs import needs, param

KINDS = [
    param("avif", "avif"),
    pytest.param("jxl", marks=pytest.mark.skipif(find_spec("pillow_jxl") is None, reason="no extra [jxl]")),
]
XMP = b"<x:xmpmeta>\xc3\xa9</x:xmpmeta>"


def ramp(channels: int = 3) -> Pixels:
    """Return a smooth picture, dark at the top left, wider than high."""
    down, across = np.mgrid[0:48, 0:64]
    return np.stack([(2 * down + across + 20 * n) % 256 for n in range(channels)], axis=2).astype(np.uint8)


def alpha_of(side: tuple[int, int]) -> bytes:
    buffer = io.BytesIO()
    Image.new("L", side, 77).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_pixels_are_close_and_metadata_is_there(tmp_path: Path, kind: str, channels: int) -> None:
    """The pixels are close; EXIF and XMP are the same bytes where nothing was turned."""
    picture = Picture(pixels=ramp(channels), metadata=Metadata(exif=exif(1), xmp=XMP))
    save(picture, tmp_path / "a", format=kind)
    found = load(tmp_path / "a")
    assert np.abs(found.pixels[:, :, :channels].astype(int) - picture.pixels).mean() < 2
    assert (found.metadata.exif, found.metadata.xmp) == (exif(1), XMP)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_jxl_stands_upright(tmp_path: Path, orientation: int) -> None:
    """Its readers ignore EXIF's orientation: the pixels are turned, and EXIF says so."""
    pytest.importorskip("pillow_jxl")
    picture = Picture(pixels=ramp(), metadata=Metadata(exif=exif(orientation)))
    save(picture, tmp_path / "a.jxl", format="jxl")
    save(picture, tmp_path / "a.png", format="png")
    found = load(tmp_path / "a.jxl")
    with Image.open(tmp_path / "a.png") as image:
        expected = np.array(ImageOps.exif_transpose(image))
    assert found.pixels.shape == expected.shape
    assert np.abs(found.pixels.astype(int) - expected).mean() < 2
    assert orientation_of(found.metadata.exif) == UPRIGHT


@pytest.mark.parametrize("orientation", range(1, 9))
def test_avif_is_turned_by_its_container(tmp_path: Path, orientation: int) -> None:
    """Any viewer shows it as it shows the source, and batchcomp reads back what was written."""
    if not features.check("avif"):
        pytest.skip("no AVIF here")
    picture = Picture(pixels=ramp(), metadata=Metadata(exif=exif(orientation)))
    save(picture, tmp_path / "a.avif", format="avif")
    save(picture, tmp_path / "a.png", format="png")
    with Image.open(tmp_path / "a.avif") as shown, Image.open(tmp_path / "a.png") as source:
        seen, expected = (np.array(ImageOps.exif_transpose(one)).astype(int) for one in (shown, source))
    assert np.abs(seen - expected).mean() < 2
    found = load(tmp_path / "a.avif")
    assert found.metadata.exif == exif(orientation)
    assert np.abs(found.pixels.astype(int) - picture.pixels).mean() < 2


@pytest.mark.parametrize("kind", KINDS)
def test_alpha_is_kept(tmp_path: Path, kind: str) -> None:
    """Both have an alpha channel."""
    save(Picture(pixels=ramp(), metadata=Metadata(alpha=alpha_of((64, 48)))), tmp_path / "a", format=kind)
    found = outputs_alpha(load(tmp_path / "a"))
    assert np.abs(found.astype(int) - 77).max() <= 1


def outputs_alpha(picture: Picture) -> Pixels:
    return np.array(channel(picture.metadata.alpha, (picture.width, picture.height)))


@needs("avif", "littlecms2")
def test_avif_keeps_a_profile_and_jxl_converts(tmp_path: Path) -> None:
    """JPEG XL's encoder takes no profile: colours become sRGB, which is said; a broken profile changes nothing."""
    pytest.importorskip("pillow_jxl")
    same, broken = (Picture(pixels=ramp(), metadata=Metadata(icc=one)) for one in (profile(), b"profile" * 9))
    for number, picture in enumerate((same, broken)):
        save(picture, tmp_path / f"{number}.jxl", format="jxl")
        assert np.abs(load(tmp_path / f"{number}.jxl").pixels.astype(int) - ramp()).mean() < 2
    assert left_out(same, "jxl") == (PROFILE,)
    assert left_out(same, "avif") == ()
    save(same, tmp_path / "a.avif", format="avif")
    assert load(tmp_path / "a.avif").metadata.icc == profile()
    assert jxl.in_srgb(Image.new("L", (2, 2)), profile()).mode == "L"


@needs("littlecms2")
def test_wide_gamut_colours_stay_what_they_are() -> None:
    """A colour of Display P3 has other numbers in sRGB: redder, as a muted red there is a strong one here."""
    image = Image.new("RGB", (4, 4), (200, 100, 100))
    red, green, blue = jxl.in_srgb(image, display_p3()).getpixel((0, 0))  # type: ignore[misc]
    assert red > 205
    assert green < 98
    assert blue < 99


def test_without_the_extra_jxl_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is missing is named, and nothing is left behind."""
    monkeypatch.setattr(jxl, "find_spec", lambda _name: None)
    with pytest.raises(PictureError, match=r"pip install 'batchcomp\[jxl\]'"):
        save(Picture(pixels=ramp()), tmp_path / "a.jxl", format="jxl")
    assert list(tmp_path.iterdir()) == []
    assert outputs.output_format("jxl").holds


def test_nonsense_in_exif_is_upright() -> None:
    """EXIF that is cut off, forged or empty says nothing, and stays as it is."""
    for broken in (b"", b"II*\0", exif(6)[:20], b"MM\0*" + b"\xff" * 40, exif(6).replace(b"\x00\x06", b"\x00\x09")):
        assert orientation_of(broken) == UPRIGHT
        assert orientation_of(upright(broken)) == UPRIGHT
    assert (orientation_of(exif(6)), orientation_of(upright(exif(6)))) == (6, 1)
