"""The tags of a TIFF, as bytes (TIFF 6.0, section 2; BigTIFF likewise with longer fields): nothing is decoded.

Text of tags is in whatever encoding its writer used, and numbers have types of their own; both must come back as they
were. Values are copied in the byte order of their file.
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final, Literal

UPRIGHT: Final = 1
EXIF_IFD, GPS_IFD, INTEROP_IFD, ORIENTATION = 34_665, 34_853, 40_965, 274
_BELOW: Final = (EXIF_IFD, GPS_IFD, INTEROP_IFD)
_SIZES: Final = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_DATA: Final = ((273, 279), (324, 325), (513, 514))  # tags of where data lie, and of how long they are
_MOST_TAGS, _DEEPEST = 2000, 3


@dataclass(frozen=True)
class Tag:
    """One tag: its type, how many values, their bytes, where these stand, and the tags below it."""

    number: int
    kind: int
    count: int
    value: bytes
    at: int
    below: tuple[Tag, ...] = ()


class TiffFile:
    """Reads directories of a TIFF or of an EXIF structure. Raises ValueError where they lead out of it."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.order = "<" if data[:2] == b"II" else ">"
        self.big = 43 in data[2:4]
        self._offset, self._entry = ("Q", 20) if self.big else ("I", 12)
        self.used: list[tuple[int, int]] = [(0, 16 if self.big else 8)]

    def numbers(self, code: str, at: int, count: int = 1) -> tuple[int, ...]:
        """Return unsigned numbers that stand at an offset."""
        try:
            return struct.unpack_from(f"{self.order}{count}{code}", self.data, at)
        except struct.error as error:
            raise ValueError("a TIFF directory leads out of the file") from error

    def first(self) -> tuple[Tag, ...]:
        """Return the tags of the first directory."""
        return self.directory(self.numbers(self._offset, 8 if self.big else 4)[0])

    def directory(self, at: int, depth: int = 0) -> tuple[Tag, ...]:
        """Return the tags of the directory at an offset, with those of the directories of EXIF below it."""
        head = 8 if self.big else 2
        (count,) = self.numbers("Q" if self.big else "H", at)
        if count > _MOST_TAGS or depth > _DEEPEST:
            raise ValueError("a TIFF directory makes no sense")
        self.used.append((at, at + head + count * self._entry + (8 if self.big else 4)))
        starts = range(at + head, at + head + count * self._entry, self._entry)
        return tuple(self._tag(start, depth) for start in starts)

    def _tag(self, at: int, depth: int) -> Tag:
        number, kind = self.numbers("H", at, 2)
        (count,) = self.numbers(self._offset, at + 4)
        size, place = count * _SIZES.get(kind, 1), at + (12 if self.big else 8)
        if size > (8 if self.big else 4):
            (place,) = self.numbers(self._offset, place)
        value = self.data[place : place + size]
        if len(value) != size:
            raise ValueError("a TIFF tag leads out of the file")
        self.used.append((place, place + size))
        tag = Tag(number, kind, count, value, place)
        if number not in _BELOW or not value:
            return tag
        return Tag(number, kind, count, value, place, self.directory(self.values(tag)[0], depth + 1))

    def rest(self) -> Iterator[bytes]:
        """Yield the stretches that nothing read so far uses, but for zeros and single bytes."""
        at = 0
        for start, end in sorted([*self.used, (len(self.data), len(self.data))]):
            if start > at + 1 and self.data[at:start].strip(b"\0"):
                yield self.data[at:start]
            at = max(at, end)

    def values(self, tag: Tag) -> tuple[int, ...]:
        """Return the values of a tag of unsigned numbers."""
        code = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}.get(tag.kind)
        return struct.unpack(f"{self.order}{tag.count}{code}", tag.value) if code else ()


def exif_of(data: bytes, kept: Collection[int], *, without: Collection[int] = ()) -> bytes:
    """Return the tags `kept` of a TIFF's first directory as an EXIF structure; b"" where it has none of them.

    Tags of the directories below it are kept but for those `without`.

    Raises:
        ValueError: a directory is damaged.
    """
    file = TiffFile(data)
    tags = list(_without((tag for tag in file.first() if tag.number in kept), without))
    if not tags:
        return b""
    mark = b"II*\0" if file.order == "<" else b"MM\0*"
    return mark + struct.pack(f"{file.order}I", 8) + _written(tags, file.order, 8)


def _without(tags: Iterable[Tag], numbers: Collection[int]) -> Iterator[Tag]:
    """Yield tags but for those of these numbers, at any depth; a directory that would be empty goes too."""
    for tag in tags:
        below = tuple(_without(tag.below, numbers))
        if tag.number not in numbers and (below or not tag.below):
            yield replace(tag, below=below)


def _written(tags: Collection[Tag], order: str, at: int) -> bytes:
    """Return a directory that stands at an offset, with what it points to behind it."""
    body = at + 2 + 12 * len(tags) + 4
    entries, behind = [], b""
    for tag in sorted(tags, key=lambda one: one.number):
        value, kind, count = tag.value, tag.kind, tag.count
        if tag.below:
            value, kind, count = struct.pack(f"{order}I", body + len(behind)), 4, 1
            behind += _written(tag.below, order, body + len(behind))
        elif len(value) > 4:
            value, behind = struct.pack(f"{order}I", body + len(behind)), behind + value
        behind += bytes(len(behind) % 2)
        entries.append(struct.pack(f"{order}HHI", tag.number, kind, count) + value.ljust(4, b"\0"))
    return struct.pack(f"{order}H", len(tags)) + b"".join(entries) + bytes(4) + behind


def orientation_of(exif: bytes) -> int:
    """The orientation that EXIF says, 1 to 8; `UPRIGHT` where it says none, or nonsense."""
    place = _orientation_at(exif)
    value = int.from_bytes(exif[place : place + 2], _order(exif)) if place else UPRIGHT
    return value if 1 <= value <= 8 else UPRIGHT


def upright(exif: bytes) -> bytes:
    """Return EXIF whose orientation, if it has one, says that the pixels stand upright."""
    place = _orientation_at(exif)
    return exif[:place] + UPRIGHT.to_bytes(2, _order(exif)) + exif[place + 2 :] if place else exif


def _orientation_at(exif: bytes) -> int:
    """Where the orientation's value stands; 0 where there is none."""
    order = _order(exif)
    start = int.from_bytes(exif[4:8], order)
    for at in range(start + 2, start + 2 + 12 * int.from_bytes(exif[start : start + 2], order), 12):
        if at + 12 > len(exif):
            return 0
        if int.from_bytes(exif[at : at + 2], order) == ORIENTATION:
            return at + 8
    return 0


def _order(exif: bytes) -> Literal["little", "big"]:
    return "little" if exif.startswith(b"II") else "big"


def with_orientation(exif: bytes, value: int) -> bytes:
    """Return EXIF with another orientation and not another byte changed.

    Where it had none, a first directory that has one comes behind all, so that nothing else moves.

    Raises:
        ValueError: it is damaged.
    """
    file = TiffFile(exif)
    (start,) = file.numbers("I", 4)
    tags, number = file.directory(start), struct.pack(f"{file.order}H", value)
    for tag in tags:
        if tag.number == ORIENTATION and len(tag.value) == 2:
            return exif[: tag.at] + number + exif[tag.at + 2 :]
    entries = {exif[at : at + 2]: exif[at : at + 12] for at in range(start + 2, start + 2 + 12 * len(tags), 12)}
    name = struct.pack(f"{file.order}H", ORIENTATION)
    entries[name] = name + struct.pack(f"{file.order}HI", 3, 1) + number + bytes(2)
    ordered = sorted(entries.values(), key=lambda entry: struct.unpack(f"{file.order}H", entry[:2]))
    after = exif[start + 2 + 12 * len(tags) :][:4].ljust(4, b"\0")
    padded = exif + bytes(len(exif) % 2)
    body = padded[:4] + struct.pack(f"{file.order}I", len(padded)) + padded[8:]
    return body + struct.pack(f"{file.order}H", len(ordered)) + b"".join(ordered) + after


def unused(data: bytes) -> Iterator[bytes]:
    """Yield the stretches of a TIFF that no tag of its first picture uses, but for zeros and single bytes.

    Raises:
        ValueError: a directory is damaged.
    """
    file = TiffFile(data)
    tags = {tag.number: tag for tag in file.first()}
    for where, length in _DATA:
        if where in tags and length in tags:
            pairs = zip(file.values(tags[where]), file.values(tags[length]), strict=False)
            file.used += [(start, start + size) for start, size in pairs]
    yield from file.rest()
