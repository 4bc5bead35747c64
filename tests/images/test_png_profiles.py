"""Chunks that are carried as XMP, EXIF or a profile are read to the last byte."""

from __future__ import annotations

import zlib

import pytest
from PIL import features

from batchcomp.errors import UnsupportedPictureError
from batchcomp.images.load import decode_picture
from batchcomp.images.png_profiles import RAW_EXIF, RAW_XMP, XMP_KEY, holds_only

from .make import exif, png, profile

if not features.check("littlecms2"):
    pytest.skip("PIL was built without littlecms2", allow_module_level=True)

XMP, EXIF, ICC = b"<x:xmpmeta/>", exif(6), profile()


def raw(content: bytes, name: bytes = b"exif", more: bytes = b"") -> bytes:
    return b"\n%s\n%8d\n%s%s\n" % (name, len(content), content.hex().encode(), more)


SOUND = [
    (b"iTXt", XMP_KEY + bytes(4) + XMP),
    (b"iTXt", XMP_KEY + b"\1\0\0\0" + zlib.compress(XMP)),
    (b"tEXt", RAW_EXIF + raw(EXIF)),
    (b"zTXt", RAW_EXIF + b"\0" + zlib.compress(raw(b"Exif\0\0" + EXIF))),
    (b"iTXt", RAW_XMP + bytes(4) + raw(XMP, b"xmp")),
    (b"tEXt", RAW_EXIF + raw(EXIF, more=b"}}\xff\x91 junk")),
    (b"iCCP", b"name\0\0" + zlib.compress(ICC)),
    (b"tEXt", b"Comment\0anything"),
]
MORE = [
    (b"iTXt", XMP_KEY + b"\0\0de\0titre\0" + XMP),
    (b"iTXt", XMP_KEY + b"\1\0\0\0" + zlib.compress(XMP) + b"more"),
    (b"tEXt", RAW_EXIF + raw(EXIF, more=b"abcd" * 5)),
    (b"tEXt", RAW_EXIF + raw(EXIF, more=b"no digits, but more than junk")),
    (b"tEXt", RAW_EXIF + raw(EXIF)[:-3]),
    (b"zTXt", RAW_EXIF + b"\0" + zlib.compress(raw(EXIF)) + b"more"),
    (b"zTXt", RAW_XMP + b"\0" + zlib.compress(raw(XMP, b"xmp"))[:-1]),
    (b"iCCP", b"name\0\0" + zlib.compress(ICC) + b"more"),
    (b"iCCP", b"name\0\0" + b"no stream"),
]


@pytest.mark.parametrize(("kind", "content"), SOUND)
def test_sound_chunks_hold_nothing_else(kind: bytes, content: bytes) -> None:
    """As decoders of every kind of text read them."""
    assert holds_only(kind, content, xmp=XMP, exif=EXIF, icc=ICC)
    assert decode_picture(png((1, 1), 8, 2, bytes(4), [(kind, content)]), "a.png").width == 1


@pytest.mark.parametrize(("kind", "content"), MORE)
def test_whatever_else_stands_there_is_said(kind: bytes, content: bytes) -> None:
    """Behind a stream, behind the digits, in the fields for a language."""
    assert not holds_only(kind, content, xmp=XMP, exif=EXIF, icc=ICC)
    with pytest.raises(UnsupportedPictureError):
        decode_picture(png((1, 1), 8, 2, bytes(4), [(kind, content)]), "a.png")


def test_what_was_read_of_it_otherwise_is_said() -> None:
    """The decoder took another chunk, or none."""
    assert len(SOUND) == 8
    for kind, content in SOUND[:-1]:
        assert not holds_only(kind, content, xmp=b"", exif=b"", icc=b"")
