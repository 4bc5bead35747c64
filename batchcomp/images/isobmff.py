"""The boxes of HEIC, AVIF and JPEG XL files, and the items in them (ISO/IEC 14496-12, 4.2 and 8.11)."""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

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


@dataclass(frozen=True, kw_only=True)
class Item:
    """One item of a file: its number, its type, and what a `mime` item says that it is."""

    number: int
    kind: bytes
    content_type: bytes = b""


@dataclass(frozen=True, kw_only=True)
class Extent:
    """A piece of an item: `size` bytes at `offset`, of the file (method 0) or of the box `idat` (method 1)."""

    item: int
    method: int
    offset: int
    size: int


@dataclass(frozen=True, kw_only=True)
class Items:
    """What the box `meta` says: the items, where they lie, who refers to whom (type, from, to), the picture."""

    items: tuple[Item, ...]
    extents: tuple[Extent, ...]
    references: tuple[tuple[bytes, int, int], ...]
    primary: int


def read_items(data: bytes) -> Items:
    """Return the items of a file.

    Raises:
        ValueError: a box is damaged.
    """
    meta = {kind: (start, end) for kind, start, end in _children(data, b"meta", 4)}
    try:
        return Items(
            items=tuple(_items(data, *meta[b"iinf"])),
            extents=tuple(_extents(data, meta[b"iloc"][0])),
            references=tuple(_references(data, *meta[b"iref"])) if b"iref" in meta else (),
            primary=_number(data, meta[b"pitm"][0] + 4, 2 if data[meta[b"pitm"][0]] == 0 else 4),
        )
    except (KeyError, IndexError, struct.error) as error:
        raise ValueError("its items cannot be read") from error


def exif_items(data: bytes) -> Iterator[bytes]:
    """Yield the EXIF structures in a file, without the offset in front of each (ISO/IEC 23008-12, A.2.1)."""
    with suppress(ValueError):
        found = read_items(data)
        wanted = {item.number for item in found.items if item.kind == b"Exif"}
        pieces = Counter(extent.item for extent in found.extents)
        for extent in found.extents:
            if extent.item in wanted and extent.method == 0 and pieces[extent.item] == 1:
                content = data[extent.offset : extent.offset + extent.size]
                yield content[4 + int.from_bytes(content[:4], "big") :].removeprefix(b"Exif\0\0")


def _children(data: bytes, wanted: bytes, skip: int) -> Iterator[Box]:
    for kind, start, end in boxes(data, 0, len(data)):
        if kind == wanted:
            yield from boxes(data, start + skip, end)


def _number(data: bytes, at: int, size: int) -> int:
    if at + size > len(data):
        raise IndexError
    return int.from_bytes(data[at : at + size], "big")


def _items(data: bytes, start: int, end: int) -> Iterator[Item]:
    """Read `iinf` and its `infe` boxes of version 2 or 3 (8.11.6)."""
    for _, at, stop in boxes(data, start + (6 if data[start] == 0 else 8), end):
        size = 2 if data[at] == 2 else 4
        kind = data[at + 6 + size : at + 10 + size]
        words = data[at + 10 + size : stop].split(b"\0")  # name, and of a mime item the type of its content
        content_type = words[1] if kind == b"mime" and len(words) > 1 else b""
        yield Item(number=_number(data, at + 4, size), kind=kind, content_type=content_type)


def _extents(data: bytes, at: int) -> Iterator[Extent]:
    """Read `iloc` (8.11.3); a length of 0 means all the rest."""
    version, sizes = data[at], _number(data, at + 4, 2)
    offset, length, base = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15
    index = sizes & 15 if version else 0
    wide = 2 if version < 2 else 4
    at, count = at + 6 + wide, _number(data, at + 6, wide)

    def number(size: int) -> int:
        nonlocal at
        at += size
        return _number(data, at - size, size)

    for _ in range(count):
        item, method = number(wide), number(2) & 15 if version else 0
        number(2)
        start, pieces = number(base), number(2)
        for _ in range(pieces):
            number(index)
            found, size = start + number(offset), number(length)
            yield Extent(item=item, method=method, offset=found, size=size or len(data))


def _references(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Read `iref` (8.11.12)."""
    wide = 2 if data[start] == 0 else 4
    for kind, at, _ in boxes(data, start + 4, end):
        origin, count = _number(data, at, wide), _number(data, at + wide, 2)
        for index in range(count):
            yield kind, origin, _number(data, at + wide + 2 + index * wide, wide)
