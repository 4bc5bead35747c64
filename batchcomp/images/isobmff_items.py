"""What the items of a HEIC or AVIF file hold beside one picture: reasons to store the file as it is.

Carried are the picture with its tiles and its alpha channel, one EXIF structure and one XMP packet; smaller copies are
left out, as in other formats. Whatever else is listed as an item, or stands in the data and is no part of an item, is
data that a user may miss.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from batchcomp.images.isobmff import Items, boxes, read_items
from batchcomp.images.picture import Metadata

_XMP: Final = b"application/rdf+xml"
_PARTS: Final = (b"dimg",)  # of a picture, by the references that go to them
_ABOUT: Final = (b"auxl", b"thmb", b"cdsc")  # of what says something of a picture, or shows it in small


def item_reasons(data: bytes, metadata: Metadata) -> Iterator[str]:
    """Yield what the items hold, and the data of the file, that is not carried."""
    try:
        found = read_items(data)
    except ValueError as error:
        yield str(error)
        return
    carried = _carried(found)
    for item in found.items:
        if item.number not in carried:
            yield f"item {_shown(item.kind, item.content_type)} that no other file holds"
    kinds = Counter(item.content_type or item.kind for item in found.items)
    for kind, name, read in ((b"Exif", "EXIF", metadata.exif), (_XMP, "XMP", metadata.xmp)):
        if kinds[kind] > 1 or (kinds[kind] and not read):
            yield f"{name} that cannot be read, or two of it"
    if left := _left(data, found):
        yield f"{left} bytes that belong to no item"


def _carried(found: Items) -> set[int]:
    """Return the numbers of the items that a picture consists of, or that describe it."""
    kinds = {item.number: item for item in found.items}
    carried, before = {found.primary}, set[int]()
    while carried != before:
        before = set(carried)
        carried |= {to for kind, origin, to in found.references if kind in _PARTS and origin in carried}
        for kind, origin, to in found.references:
            item = kinds.get(origin)
            described = item is not None and (item.kind == b"Exif" or item.content_type == _XMP)
            if kind in _ABOUT and to in carried and (kind != b"cdsc" or described):
                carried.add(origin)
    return carried


def _left(data: bytes, found: Items) -> int:
    """Return how many bytes of `mdat` and `idat`, but for zeros, belong to no item."""
    left, listed = 0, {item.number for item in found.items}
    idat = next((start for start, _ in _idat(data)), 0)
    used = sorted(
        (extent.offset + (idat if extent.method == 1 else 0), extent.size)
        for extent in found.extents
        if extent.item in listed and extent.method in {0, 1}
    )
    stretches = [(start, end) for kind, start, end in boxes(data, 0, len(data)) if kind == b"mdat"]
    for start, end in [*stretches, *_idat(data)]:
        at = start
        for begin, size in [*((one, size) for one, size in used if start <= one < end), (end, 0)]:
            if data[at:begin].strip(b"\0"):
                left += begin - at
            at = max(at, begin + size)
    return left


def _idat(data: bytes) -> Iterator[tuple[int, int]]:
    for kind, start, end in boxes(data, 0, len(data)):
        for inner, begin, stop in boxes(data, start + 4, end) if kind == b"meta" else ():
            if inner == b"idat":
                yield begin, stop


def _shown(kind: bytes, content_type: bytes) -> str:
    return "".join(chr(byte) if 32 < byte < 127 else "?" for byte in kind + b" " * bool(content_type) + content_type)
