"""The boxes of HEIC, AVIF and JPEG XL files, and the items in them (ISO/IEC 14496-12, 4.2 and 8.11)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import suppress

Box = tuple[bytes, int, int]  # type, start and end of its content


def boxes(data: bytes, start: int, end: int) -> Iterator[Box]:
    """Yield the boxes between two offsets; what is no box comes as one of type b""."""
    at = start
    while at < end:
        head, size, kind = 8, int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        if size == 1:
            head, size = 16, int.from_bytes(data[at + 8 : at + 16], "big")
        size = size or end - at
        if size < head or at + size > end:
            if data[at:end].strip(b"\0"):
                yield b"", at, end
            return
        yield kind, at + head, at + size
        at += size


def exif_items(data: bytes) -> Iterator[bytes]:
    """Yield the EXIF structures in a file, without the offset in front of each (ISO/IEC 23008-12, A.2.1)."""
    meta = {kind: (start, end) for kind, start, end in _children(data, b"meta", 4)}
    with suppress(struct.error, KeyError, IndexError):
        start, end = meta[b"iinf"]
        items = boxes(data, start + (6 if data[start] == 0 else 8), end)
        wanted = {_item(data, at) for _, at, _ in items}
        for number, offset, size in _places(data, meta[b"iloc"][0]):
            if (number, b"Exif") in wanted:
                content = data[offset : offset + size]
                yield content[4 + int.from_bytes(content[:4], "big") :].removeprefix(b"Exif\0\0")


def _children(data: bytes, wanted: bytes, skip: int) -> Iterator[Box]:
    for kind, start, end in boxes(data, 0, len(data)):
        if kind == wanted:
            yield from boxes(data, start + skip, end)


def _item(data: bytes, at: int) -> tuple[int, bytes]:
    """Return number and type of an item from its `infe` box of version 2 or 3."""
    size = 2 if data[at] == 2 else 4
    return int.from_bytes(data[at + 4 : at + 4 + size], "big"), data[at + 6 + size : at + 10 + size]


def _places(data: bytes, at: int) -> Iterator[tuple[int, int, int]]:
    """Yield (number, offset, length) of the items that lie in the file in one piece (8.11.3)."""
    version, sizes = data[at], int.from_bytes(data[at + 4 : at + 6], "big")
    offset, length, base = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15
    index = sizes & 15 if version else 0
    wide = 2 if version < 2 else 4
    at, count = at + 6 + wide, int.from_bytes(data[at + 6 : at + 6 + wide], "big")

    def number(size: int) -> int:
        nonlocal at
        at += size
        return int.from_bytes(data[at - size : at], "big")

    for _ in range(min(count, 10_000)):
        item, method = number(wide), number(2) & 15 if version else 0
        number(2)
        start, extents = number(base), number(2)
        for _ in range(extents):
            number(index)
            found = start + number(offset), number(length)
            if extents == 1 and method == 0:
                yield item, *found
