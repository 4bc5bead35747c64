"""The scans of a JPEG file: where each lies, and whether all is there that the picture needs (ITU-T T.81).

libjpeg conceals damage: it fills what is missing with grey and only warns (jpeg_warnings.py). Where the first warning
does not tell, that is found out by trial. Junk in front of each marker changes nothing in a sound picture, for whose
decoder a scan has ended by then; where the decoder still wants data, it takes the junk, and other pixels come out. And
where junk in place of the last bytes changes nothing, the decoder went astray and was done before them.
"""

from __future__ import annotations

import io
import math
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from PIL import Image, JpegImagePlugin

from batchcomp.images import jpeg_holes, jpeg_warnings, pillow_array
from batchcomp.images.jpeg_segments import EOI, SOF, SOI, SOS, START, TEM, is_metadata
from batchcomp.images.jpeg_warnings import EARLY, NONSENSE, SURPLUS
from batchcomp.images.picture import Pixels

END: Final = bytes((0xFF, EOI))
MISSING_SCAN, GAPS = "truncated JPEG file, a scan is missing", "damaged JPEG file, its picture data have gaps"
_DHT, _DRI = 0xC4, 0xDD
_PROGRESSIVE, _HUFFMAN = 0xC2, frozenset((0xC0, 0xC1, 0xC2))
_MARKER: Final = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")  # any that ends a scan
_RESTART: Final = re.compile(rb"\xff([\xd0-\xd7])")
_JUNK: Final = bytes(random.Random(1).choices(range(1, 255), k=256))  # noqa: S311 - any bytes but FF serve
_TAIL = 32  # bytes that are replaced at first
_LARGE = 1_000_000  # pixels
_BLOCK = 64  # pixels that may be wrong: some encoders save on the last bits of a restart interval


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


@dataclass(frozen=True, kw_only=True)
class Changes:
    """How two pictures differ: in how many pixels, from which row on, and in which column at the leftmost."""

    pixels: int
    top: int
    left: int


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


def damage(data: bytes, found: Layout, pixels: Pixels | None = None) -> str | None:
    """Return what is wrong with the picture data of a JPEG file that libjpeg decodes; None where they are sound.

    Args:
        data: the file, with its EOI marker.
        found: its layout; one that had no end of its own is held to every pixel.
        pixels: as decoded, (H, W, C); decoded once more where they are not given.
    """
    frame = found.frame
    if frame is None or frame.marker not in _HUFFMAN or not found.scans:
        return None
    if what := _missing(data, frame, found.scans):
        return what
    told = jpeg_warnings.verdict(data)
    return _astray(data, frame, found, pixels) if told is None else told or None


def _missing(data: bytes, frame: Frame, scans: tuple[Scan, ...]) -> str | None:
    """Say what the headers and markers show to be missing."""
    if _incomplete(frame, scans):
        return MISSING_SCAN
    holes = any(scan.tells_holes and any(jpeg_holes.holes(data, scan.start, scan.end)) for scan in scans)
    return GAPS if holes or any(_lacks_restarts(data, frame, scan) for scan in scans) else None


def _astray(data: bytes, frame: Frame, found: Layout, pixels: Pixels | None) -> str | None:
    """Find out by trial whether the decoder wanted more data than there are, or had data left."""
    scans, last = found.scans, found.scans[-1]
    tail = _changes(data, _with_junk(data, scans, max(last.start, last.end - _TAIL), last.end), pixels)
    if tail.pixels and _at_the_end(tail, frame):
        return None
    if _changes(data, _with_junk(data, scans, last.end, last.end), pixels).pixels > _BLOCK * found.ended:
        return EARLY
    most = last.end - SURPLUS  # a shorter scan says too little: that of a blank page may be of two bytes
    if tail.pixels or most <= last.start:
        return None
    return None if _changes(data, _with_junk(data, scans, most, last.end), pixels).pixels else NONSENSE


def _at_the_end(tail: Changes, frame: Frame) -> bool:
    """Tell whether what changed lies in the last few blocks of a large picture, which saves another look."""
    wide, high = (8 * max(factors[i] for factors in frame.components.values()) for i in range(2))
    last_row = (frame.height - 1) // high * high
    large = frame.width * frame.height > _LARGE
    return large and tail.top >= last_row - 2 and tail.left >= frame.width - 8 * wide


def _incomplete(frame: Frame, scans: tuple[Scan, ...]) -> bool:
    """Tell whether some component, or some bits of some coefficients, are in no scan (T.81, G.1.1)."""
    sent = {identifier: [16] * 64 for identifier in frame.components}
    for scan in scans:
        low = scan.approximation[1] if frame.marker == _PROGRESSIVE else 0
        first, last = scan.band if frame.marker == _PROGRESSIVE else (0, 63)
        for identifier in scan.components:
            for at in range(first, min(last, 63) + 1):
                sent.get(identifier, [0] * 64)[at] = low
    return any(any(lows) for lows in sent.values())


def _lacks_restarts(data: bytes, frame: Frame, scan: Scan) -> bool:
    """Tell whether the restart markers of a scan are fewer than they must be, or out of order."""
    if not scan.interval or not set(scan.components) <= frame.components.keys():
        return False
    numbers = [found[1][0] & 7 for found in _RESTART.finditer(data, scan.start, scan.end)]
    wanted = math.ceil(frame.units(scan.components) / scan.interval) - 1
    return numbers[:wanted] != [number % 8 for number in range(wanted)]


def _with_junk(data: bytes, scans: tuple[Scan, ...], cut: int, end: int) -> bytes:
    """Return the file with junk at the end of each restart interval and scan, and in place of `cut` to `end`."""
    parts, at = [], 0
    for scan in scans:
        body = data[scan.start : min(scan.end, cut) if scan.end == end else scan.end].rstrip(b"\xff")
        if scan.interval:
            body = _RESTART.sub(lambda found: _JUNK[:32] + found[0], body)
        parts += [data[at : scan.start], body, _JUNK]
        at = scan.end
    return b"".join([*parts, data[at:]])


def _changes(data: bytes, other: bytes, pixels: Pixels | None) -> Changes:
    """Compare the pictures of two files; `pixels` are those of the first, where they are known."""
    first = None if pixels is not None else _decoded(data)
    second = _decoded(other)
    count, top, left = 0, second.height, second.width
    strip = max(1, pillow_array.STRIP_BYTES // (second.width * len(second.getbands())))
    for at in range(0, second.height, strip):
        box = (0, at, second.width, min(at + strip, second.height))
        known = np.asarray(first.crop(box)) if first else pixels[at : box[3]]  # type: ignore[index]
        found = np.asarray(second.crop(box))
        rows, columns = np.nonzero((found.reshape(*found.shape[:2], -1) != known.reshape(*found.shape[:2], -1)).any(2))
        if len(rows):
            count, top, left = count + len(rows), min(top, at + int(rows[0])), min(left, int(columns.min()))
    return Changes(pixels=count, top=top, left=left)


def _decoded(data: bytes) -> Image.Image:
    with JpegImagePlugin.JpegImageFile(io.BytesIO(data), "") as image:
        image.load()
        return image
