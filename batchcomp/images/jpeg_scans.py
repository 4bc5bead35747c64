"""The scans of a JPEG file: where each lies, and what it holds of the picture (ITU-T T.81)."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from batchcomp.images import jpeg_holes
from batchcomp.images.jpeg_segments import EOI, SOF, SOI, SOS, START, TEM, is_metadata

END: Final = bytes((0xFF, EOI))
_DHT, _DRI = 0xC4, 0xDD
_MARKER: Final = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")  # any that ends a scan


@dataclass(frozen=True, kw_only=True)
class Frame:
    """What the frame header says."""

    marker: int
    precision: int
    height: int
    width: int
    components: dict[int, tuple[int, int]]  # identifier -> horizontal and vertical sampling factor

    def units(self, of: tuple[int, ...]) -> int:
        """Return the MCUs of a scan of these components (T.81, A.2)."""
        wide, high = (max(factors[i] for factors in self.components.values()) for i in range(2))
        own = self.components[of[0]] if len(of) == 1 else (wide, high)
        sides = (math.ceil(self.width * own[0] / wide), math.ceil(self.height * own[1] / high))
        block = (8, 8) if len(of) == 1 else (8 * wide, 8 * high)
        return math.ceil(sides[0] / block[0]) * math.ceil(sides[1] / block[1])


@dataclass(frozen=True, kw_only=True)
class Scan:
    """One scan: entropy-coded bytes `start` to `end`; what it holds of which components; the restart interval."""

    start: int
    end: int
    components: tuple[int, ...]
    band: tuple[int, int]
    approximation: tuple[int, int]
    interval: int
    tells_holes: bool  # whether no long run of zeros can be in it


@dataclass(frozen=True, kw_only=True)
class Layout:
    """The first picture of a JPEG file, which ends at `end`, with an EOI or not; `late`: metadata follow a scan."""

    frame: Frame | None
    scans: tuple[Scan, ...]
    end: int
    ended: bool
    late: bool


def layout(data: bytes) -> Layout:
    """Walk over the first picture, as libjpeg would: bytes that are no marker are passed over."""
    frame, scans, late, interval = None, list[Scan](), False, 0
    zeros = dict[int, int]()
    for marker, at, end in _markers(data):
        content = data[at + 4 : end]
        if marker == EOI:
            return Layout(frame=frame, scans=tuple(scans), end=end, ended=True, late=late)
        if marker in SOF and len(content) >= 6:
            frame = frame or _frame(marker, content)
        elif marker == _DRI and len(content) == 2:
            interval = int.from_bytes(content, "big")
        elif marker == _DHT:
            zeros |= dict(jpeg_holes.tables(content))
        elif marker == SOS and content:
            found = _MARKER.search(data, end)
            holes = jpeg_holes.tells_holes(content, zeros)
            scans.append(_scan(content, end, found.start() if found else len(data), interval, tells_holes=holes))
        late = late or (bool(scans) and is_metadata(marker))
    return Layout(frame=frame, scans=tuple(scans), end=len(data), ended=False, late=late)


def _markers(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield (marker, start, end of its segment)."""
    at = len(START)
    while found := _MARKER.search(data, at):
        marker, start, at = data[found.end() - 1], found.start(), found.end()
        if marker not in {SOI, EOI, TEM}:
            at += max(2, int.from_bytes(data[at : at + 2], "big"))
        yield marker, start, at
        if marker == EOI:
            return


def _frame(marker: int, content: bytes) -> Frame:
    parts = [content[at : at + 3] for at in range(6, 6 + 3 * content[5], 3)]
    components = {part[0]: (part[1] >> 4 or 1, part[1] & 15 or 1) for part in parts if len(part) == 3}
    height, width = (int.from_bytes(content[at : at + 2], "big") for at in (1, 3))
    return Frame(marker=marker, precision=content[0], height=height, width=width, components=components)


def _scan(content: bytes, start: int, end: int, interval: int, *, tells_holes: bool) -> Scan:
    count = content[0]
    first, last, approximation = (*content[1 + 2 * count : 4 + 2 * count], 0, 63, 0)[:3]
    return Scan(
        start=start,
        end=end,
        components=tuple(content[1 : 1 + 2 * count : 2]),
        band=(first, last),
        approximation=(approximation >> 4, approximation & 15),
        interval=interval,
        tells_holes=tells_holes,
    )


def with_end(data: bytes) -> tuple[bytes, Layout]:
    """Return the file with an EOI marker behind its picture, which some sound files lack, and its layout before."""
    found = layout(data)
    if found.ended or not found.scans:
        return data, found
    data = data.removesuffix(b"\xff") + END
    return data, replace(layout(data), ended=False)
