"""Items of HEIC and AVIF that are no part of the picture are found, and so are bytes of no item."""

from __future__ import annotations

import io
import re
import struct

import pillow_heif
import pytest

from batchcomp.errors import UnsupportedPictureError
from batchcomp.images.isobmff import Extent, read_items
from batchcomp.images.isobmff_items import item_reasons
from batchcomp.images.load import decode_picture
from tests.needs import needs

from .make import image

pillow_heif.register_heif_opener()
XMP = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>"
EXIF = b"Exif\0\0II*\0\x08\0\0\0\1\0\x0e\1\2\0\4\0\0\0cat\0\0\0\0\0"
KINDS = [pytest.param("AVIF", marks=needs("avif")), "HEIF"]


def rich(kind: str) -> bytes:
    """Return a file with EXIF and XMP."""
    file, picture = io.BytesIO(), image()
    picture.putalpha(image("L"))
    picture.save(file, kind, exif=EXIF, xmp=XMP)
    return file.getvalue()


@pytest.mark.parametrize("kind", KINDS)
def test_ordinary_items_are_carried(kind: str) -> None:
    """The picture, its alpha channel, EXIF and XMP."""
    found = read_items(rich(kind))
    assert {item.kind for item in found.items} >= {b"Exif", b"mime"}
    assert {item.content_type for item in found.items} >= {b"application/rdf+xml"}
    assert found.primary in {item.number for item in found.items}
    assert {"auxl", "cdsc"} <= {kind.decode() for kind, _, _ in found.references}
    metadata = decode_picture(rich(kind), "a.img").metadata
    assert (metadata.exif, metadata.xmp) == (EXIF[6:], XMP)
    assert metadata.alpha


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"Exif", b"uri "),  # of another type
        (b"application/rdf+xml", b"application/rdf+xMl"),
        (b"cdsc", b"cdSc"),  # that describes nothing
        (b"auxl", b"auxL"),
    ],
)
def test_other_items_are_told(kind: str, old: bytes, new: bytes) -> None:
    """An item of an unknown type, or one that has nothing to do with the picture."""
    data = rich(kind)
    at = data.index(old, data.index(b"iref") if old in {b"cdsc", b"auxl"} else data.index(b"iinf"))
    metadata = decode_picture(data, "a.img").metadata
    assert list(item_reasons(data, metadata)) == []
    found = list(item_reasons(data[:at] + new + data[at + len(old) :], metadata))
    assert any(re.fullmatch(r"item .* that no other file holds", reason) for reason in found)


@pytest.mark.parametrize("kind", KINDS)
def test_damaged_lists_are_a_reason(kind: str) -> None:
    """What cannot be read cannot be known to be carried."""
    data = rich(kind)
    for name in (b"iloc", b"iinf", b"pitm"):
        at = data.index(name)
        with pytest.raises(ValueError, match="its items cannot be read"):
            read_items(data[:at] + b"xxxx" + data[at + 4 :])


def test_extents_of_every_version() -> None:
    """ISO/IEC 14496-12, 8.11.3: wide numbers, bases, several pieces, and a length of 0 for all the rest."""

    def box(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I4s", len(content) + 8, kind) + content

    place = struct.pack(">IHH", 7, 1, 0) + struct.pack(">QHIIII", 1000, 2, 5, 6, 70, 0)
    iloc = box(b"iloc", bytes([2, 0, 0, 0, 0x44, 0x80]) + struct.pack(">I", 1) + place)
    infe = box(b"infe", bytes([3, 0, 0, 0]) + struct.pack(">IH4s", 7, 0, b"av01") + b"\0")
    iinf = box(b"iinf", bytes([1, 0, 0, 0]) + struct.pack(">I", 1) + infe)
    pitm = box(b"pitm", bytes([1, 0, 0, 0]) + struct.pack(">I", 7))
    iref = box(b"iref", bytes([1, 0, 0, 0]) + box(b"thmb", struct.pack(">IHII", 8, 2, 7, 9)))
    data = box(b"meta", bytes(4) + pitm + iinf + iloc + iref)
    found = read_items(data)
    assert (found.primary, [one.kind for one in found.items]) == (7, [b"av01"])
    assert found.extents == (
        Extent(item=7, method=1, offset=1005, size=6),
        Extent(item=7, method=1, offset=1070, size=len(data)),
    )
    assert found.references == ((b"thmb", 8, 7), (b"thmb", 8, 9))


def test_a_crop_is_told_but_not_filled_up_blocks() -> None:
    """HEVC fills the last blocks up, and `clap` cuts that off again; any other crop hides a part of the picture."""
    file = io.BytesIO()
    image().save(file, "HEIF")
    data = file.getvalue()
    assert decode_picture(data, "a.heic").width == 40
    at = data.index(b"clap") + 4
    crop = struct.pack(">8I", 20, 1, 16, 1, 0, 1, 0, 1)
    with pytest.raises(UnsupportedPictureError, match="shown alone"):
        decode_picture(data[:at] + crop + data[at + 32 :], "a.heic")
