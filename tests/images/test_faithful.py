"""What the codec cannot carry faithfully is refused with its reason."""

from __future__ import annotations

import numpy as np
import pillow_jxl  # noqa: F401 - registers what writes JPEG XL
import pytest
from PIL import Image
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from batchcomp.errors import UnsupportedPictureError
from batchcomp.images.load import decode_picture

from .make import cases, encoded, exif, image, png, with_segment


def _gray16() -> bytes:
    return encoded(Image.fromarray(np.zeros((3, 3), np.uint16)), "PNG")


UNSUPPORTED = {
    "transparent colour": (lambda: png((1, 1), 8, 2, bytes(4), [(b"tRNS", bytes(6))]), "transparent"),
    "palette": (lambda: encoded(image("P"), "PNG"), "palette"),
    "1 bit": (lambda: encoded(image("1"), "PNG"), "1-bit"),
    "4 bits": (lambda: png((2, 1), 4, 0, bytes(2)), "4-bit"),
    "16-bit grey": (_gray16, "8 bits"),
    "16-bit RGB": (lambda: png((1, 1), 16, 2, bytes(7)), "16 bits"),
    "16-bit PPM": (lambda: b"P6\n# made\n1 1\n65535\n" + bytes(6), "8 bits"),
    "16-bit TIFF": (lambda: encoded(Image.fromarray(np.zeros((3, 3), np.uint16)), "TIFF"), "8 bits"),
    "floating point": (lambda: encoded(image("F"), "TIFF"), "floating"),
    "CMYK": (lambda: encoded(image("CMYK"), "JPEG"), "CMYK"),
    "CMYK TIFF": (lambda: encoded(image("CMYK"), "TIFF"), "CMYK"),
    "Lab": (lambda: encoded(image("LAB"), "TIFF"), "Lab"),
    "gif": (lambda: encoded(image("P"), "GIF"), "palette"),
    "animated gif": (lambda: encoded(image("P"), "GIF", save_all=True, append_images=[image("1")]), "animation"),
    "animated webp": (lambda: encoded(image(), "WEBP", save_all=True, append_images=[image("L")]), "animation"),
    "pages": (lambda: encoded(image(), "TIFF", save_all=True, append_images=[image()]), "pages"),
    "mpo": (lambda: encoded(image(), "MPO", save_all=True, append_images=[image()]), "several pictures"),
    "gamma": (lambda: png((1, 1), 8, 2, bytes(4), [(b"gAMA", (100_000).to_bytes(4, "big"))]), "gamma"),
    "hdr": (lambda: png((1, 1), 8, 2, bytes(4), [(b"cICP", bytes([9, 16, 0, 1]))]), "cICP"),
    "gain map": (
        lambda: encoded(image(), "JPEG", xmp=b'<a hdrgm:Version="1.0"/>'),
        "gain map",
    ),
    "motion photo": (lambda: encoded(image(), "JPEG", xmp=b'<a GCamera:MotionPhoto="1"/>'), "motion photo"),
    "extended xmp": (
        lambda: with_segment(encoded(image(), "JPEG"), 0xE1, b"http://ns.adobe.com/xmp/extension/\0more"),
        "extended XMP",
    ),
    "large exif": (lambda: encoded(image(), "WEBP", exif=exif(1) + bytes(65_528)), "EXIF"),
    "large xmp": (lambda: encoded(image(), "WEBP", xmp=bytes(65_503)), "XMP"),
}


@pytest.mark.parametrize("case", cases(UNSUPPORTED))
def test_sound_pictures_that_cannot_be_carried_are_named(case: str) -> None:
    """The reason is named, so that it can go into the manifest."""
    make, reason = UNSUPPORTED[case]
    with pytest.raises(UnsupportedPictureError, match=reason) as caught:
        decode_picture(make(), "a.img")
    assert "\n" not in str(caught.value)


def test_previews_of_a_camera_are_no_reason_to_refuse() -> None:
    """A multi-picture file whose other pictures are smaller copies of the first is an ordinary photograph."""
    data = encoded(image(), "MPO", save_all=True, append_images=[image()])
    second = data.index(b"MPF\0") + 4 + 8 + 2 + 12 * 3 + 4 + 16  # after the directory and the first entry
    preview = data[:second] + (0x010001).to_bytes(4, "little") + data[second + 4 :]
    assert decode_picture(preview, "a.jpg").width == 40
    assert not decode_picture(preview, "a.jpg").metadata.trailer


def test_iptc_that_pillow_cannot_read_is_a_reason() -> None:
    """Some programs write IPTC into a TIFF as numbers; it would be lost."""
    tags = ImageFileDirectory_v2()
    tags[33_723] = 1296646712
    tags.tagtype[33_723] = 4
    with pytest.raises(UnsupportedPictureError, match="IPTC"):
        decode_picture(encoded(image(), "TIFF", tiffinfo=tags), "a.tif")
