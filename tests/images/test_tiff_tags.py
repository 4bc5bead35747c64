"""Tags are copied as bytes, and nothing else in a TIFF is lost without a word."""

from __future__ import annotations

import struct

import pytest

from batchcomp.errors import UnsupportedPictureError
from batchcomp.images.load import decode_picture
from batchcomp.images.tiff_tags import TiffFile, exif_of, with_orientation

TEXT = "gr\u00fcn \u65e5\u672c".encode() + b"\xff\0"


def directory(order: str, at: int, tags: list[tuple[int, int, int, bytes]]) -> bytes:
    """Return a directory at an offset and its values behind it."""
    body, behind = at + 6 + 12 * len(tags), b""
    entries = b""
    for number, kind, count, value in sorted(tags):
        if len(value) > 4:
            entries += struct.pack(f"{order}HHII", number, kind, count, body + len(behind))
            behind += value + bytes(len(value) % 2)
        else:
            entries += struct.pack(f"{order}HHI", number, kind, count) + value.ljust(4, b"\0")
    return struct.pack(f"{order}H", len(tags)) + entries + bytes(4) + behind


def tiff(order: str, *more: tuple[int, int, int, bytes], below: bytes = b"") -> bytes:
    """Return a TIFF of one grey pixel; `below` stands at offset 10."""

    def short(number: int, value: int) -> tuple[int, int, int, bytes]:
        return number, 3, 1, struct.pack(f"{order}H", value)

    tags = [short(256, 1), short(257, 1), short(258, 8), short(259, 1), short(262, 1), short(277, 1), short(278, 1)]
    tags += [short(273, 8), short(279, 1), *more]
    body = b"\x80\0" + below + bytes(len(below) % 2)
    start = struct.pack(f"{order}I", 8 + len(body))
    return (b"II*\0" if order == "<" else b"MM\0*") + start + body + directory(order, 8 + len(body), tags)


@pytest.mark.parametrize("order", ["<", ">"])
def test_text_in_any_encoding_and_directories_below_come_back(order: str) -> None:
    """UTF-8, a lone FF, the maker's note and the Interop directory, with their types."""
    interop = (1, 2, 4, b"R98\0")
    first = directory(
        order, 10, [(40_965, 4, 1, struct.pack(f"{order}I", 10 + 6 + 24 + 10)), (37_500, 7, 9, b"maker\xff\0\1\2")]
    )
    below = first + directory(order, 10 + len(first), [interop])
    pointer = (34_665, 4, 1, struct.pack(f"{order}I", 10))
    data = tiff(order, (270, 2, len(TEXT), TEXT), pointer, below=below)
    found = {tag.number: tag for tag in TiffFile(decode_picture(data, "a.tif").metadata.exif).first()}
    assert found[270].value == TEXT
    inside = {tag.number: tag for tag in found[34_665].below}
    assert (inside[37_500].kind, inside[37_500].value) == (7, b"maker\xff\0\1\2")
    assert [(tag.number, tag.kind, tag.value) for tag in inside[40_965].below] == [(1, 2, b"R98\0")]


def test_an_orientation_in_xmp_stays_there() -> None:
    """It is neither applied to the pixels nor written into EXIF."""
    xmp = b'<x:xmpmeta><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'
    found = decode_picture(tiff("<", (700, 1, len(xmp), xmp), (270, 2, 2, b"a\0")), "a.tif").metadata
    assert found.xmp == xmp
    assert [tag.number for tag in TiffFile(found.exif).first()] == [270]


def test_signed_samples_and_stray_bytes_are_reasons() -> None:
    """Pillow would wrap the first; no tag speaks of the second."""
    with pytest.raises(UnsupportedPictureError, match="signed"):
        decode_picture(tiff("<", (339, 3, 1, b"\2\0")), "a.tif")
    with pytest.raises(UnsupportedPictureError, match="8 bytes that belong to no tag"):
        decode_picture(tiff("<") + b"\1stray!\1", "a.tif")


def test_another_orientation_changes_nothing_else() -> None:
    """In its place where there is one; behind all where there is none."""
    old = exif_of(tiff(">", (270, 2, len(TEXT), TEXT), (274, 3, 1, b"\0\1")), (270, 274))
    new = with_orientation(old, 6)
    assert len(new) == len(old)
    without = exif_of(tiff("<", (270, 2, len(TEXT), TEXT)), (270,))
    found = {tag.number: tag.value for tag in TiffFile(with_orientation(without, 6)).first()}
    assert found == {270: TEXT, 274: b"\6\0"}
