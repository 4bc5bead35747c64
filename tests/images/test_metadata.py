"""What a picture carries beside its pixels comes out as the source has it."""

from __future__ import annotations

import numpy as np
import pillow_jxl  # noqa: F401 - registers what writes JPEG XL
import pytest
from PIL import Image

from batchcomp.images.load import decode_picture
from tests.needs import param

from .make import encoded, exif, image, noise, png

WEBP, AVIF = param("WEBP", "webp"), param("AVIF", "avif")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", WEBP])
def test_exif_icc_and_xmp_travel_byte_for_byte(kind: str) -> None:
    """The orientation stays in EXIF and is not applied to the pixels."""
    options = {"exif": b"Exif\0\0" + exif(6), "icc_profile": b"profile" * 9, "xmp": b"<x:xmpmeta/>"}
    if kind == "PNG":
        chunk = b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0<x:xmpmeta/>"
        data = png((1, 1), 8, 2, bytes(4), [(b"eXIf", exif(6)), chunk])
        assert decode_picture(data, "a").metadata.exif == exif(6)
        assert decode_picture(data, "a").metadata.xmp == b"<x:xmpmeta/>"
        return
    picture = decode_picture(encoded(image(size=(40, 30)), kind, **options), "a")
    assert (picture.width, picture.height) == (40, 30)
    assert picture.metadata.exif == exif(6)
    assert picture.metadata.icc == b"profile" * 9
    assert picture.metadata.xmp == b"<x:xmpmeta/>"


def test_exif_from_imagemagick_text_is_found() -> None:
    """ImageMagick writes EXIF as hexadecimal PNG text, at times followed by junk."""
    text = b"Raw profile type exif\0\nexif\n%8d\n%s\njunk" % (len(exif(3)), exif(3).hex().encode())
    assert decode_picture(png((1, 1), 8, 2, bytes(4), [(b"tEXt", text)]), "a").metadata.exif == exif(3)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("compression", ["raw", param("tiff_lzw", "libtiff")])
def test_tiff_orientation_is_kept_not_applied(orientation: int, compression: str) -> None:
    """Pillow turns TIFFs upright; that is undone, and the tag stays."""
    pixels, tags = noise(5, 7), Image.Exif()
    tags[0x0112] = orientation
    picture = decode_picture(encoded(Image.fromarray(pixels), "TIFF", exif=tags, compression=compression), "a")
    found = Image.Exif()
    found.load(picture.metadata.exif)
    assert np.array_equal(picture.pixels, pixels)
    assert found[0x0112] == orientation


def test_dpi_is_read_and_nonsense_is_not() -> None:
    """A density counts only where the file itself states one."""
    assert decode_picture(encoded(image(), "JPEG", dpi=(300, 150)), "a").metadata.dpi == (300, 150)
    assert decode_picture(encoded(image(), "PNG", dpi=(72, 72)), "a").metadata.dpi == (72, 72)
    assert decode_picture(encoded(image(), "JPEG", exif=b"Exif\0\0" + exif(1)), "a").metadata.dpi is None
    assert decode_picture(png((1, 1), 8, 2, bytes(4), [(b"pHYs", bytes(8) + b"\1")]), "a").metadata.dpi is None
