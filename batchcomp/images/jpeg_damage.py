"""Whether all is there that the picture of a JPEG file needs, and nothing behind it (ITU-T T.81).

libjpeg conceals damage: it fills what is missing with grey and only warns (jpeg_warnings.py). Where the first warning
does not tell, that is found out by trial. Junk in front of each marker changes nothing in a sound picture, for whose
decoder a scan has ended by then; where the decoder still wants data, it takes the junk, and other pixels come out. And
where junk in place of the last bytes changes nothing, the decoder was done before them.
"""

from __future__ import annotations

import io
import math
import random
import re
from dataclasses import dataclass
from typing import Final

import numpy as np
from PIL import Image, JpegImagePlugin

from batchcomp.images import jpeg_holes, jpeg_warnings, pillow_array
from batchcomp.images.jpeg_scans import END, Frame, Layout, Scan
from batchcomp.images.jpeg_warnings import EARLY, NONSENSE, SURPLUS
from batchcomp.images.picture import Pixels

MISSING_SCAN, GAPS = "truncated JPEG file, a scan is missing", "damaged JPEG file, its picture data have gaps"
_PROGRESSIVE, _HUFFMAN = 0xC2, frozenset((0xC0, 0xC1, 0xC2))
_RESTART: Final = re.compile(rb"\xff([\xd0-\xd7])")
_JUNK: Final = bytes(random.Random(1).choices(range(1, 255), k=256))  # noqa: S311 - any bytes but FF serve
_TAIL = 32  # bytes that are replaced at first
_LARGE = 1_000_000  # pixels
_BLOCK = 64  # pixels that may be wrong: some encoders save on the last bits of a restart interval
_MOST_SCANS = 32  # beyond them only the last is looked at, since each takes a look at all before
_LEAST = 6  # bytes that are replaced to see whether the decoder looks at them; with 2, a sound file seemed to go on


@dataclass(frozen=True, kw_only=True)
class Soundness:
    """What is wrong with the picture data, None where they are sound; whether bytes stand behind their last pixel."""

    damage: str | None = None
    surplus: bool = False


@dataclass(frozen=True, kw_only=True)
class Changes:
    """How two pictures differ: in how many pixels, from which row on, and in which column at the leftmost."""

    pixels: int
    top: int
    left: int


def examine(data: bytes, found: Layout, pixels: Pixels | None = None) -> Soundness:
    """Look at the picture data of a JPEG file that libjpeg decodes.

    Args:
        data: the file, with its EOI marker.
        found: its layout; one that had no end of its own is held to every pixel.
        pixels: as decoded, (H, W, C); decoded once more where they are not given.
    """
    frame = found.frame
    if frame is None or frame.marker not in _HUFFMAN or not found.scans:
        return Soundness()
    if what := _missing(data, frame, found.scans):
        return Soundness(damage=what)
    told, few = jpeg_warnings.verdict(data), False
    if told == jpeg_warnings.FEW:
        told, few = None, True
    what = _astray(data, frame, found, pixels) if told is None else told
    if what:
        return Soundness(damage=what)
    behind = _not_needed(data, found.scans[-1], pixels, found.scans) if told is None else _goes_on(data, found.scans)
    return Soundness(surplus=few or behind)


def _goes_on(data: bytes, scans: tuple[Scan, ...]) -> bool:
    """Tell whether the decoder does without the last byte, zeros aside, of any scan of a file that it reads gladly.

    Of 1,295 sound files it did in none: scans end with the byte that their last bit is in.
    """
    for scan in scans if len(scans) <= _MOST_SCANS else scans[-1:]:
        body = data[scan.start : scan.end].rstrip(b"\0\xff")
        if len(body) > 1 and jpeg_warnings.verdict(data[: scan.start] + body[:-1] + END) in {"", jpeg_warnings.FEW}:
            return True
    return False


def _not_needed(data: bytes, last: Scan, pixels: Pixels | None, scans: tuple[Scan, ...]) -> bool:
    """Find out by trial whether other bytes at the end of the last scan make the same picture."""
    body = data[last.start : last.end].rstrip(b"\0\xff")
    cut = last.start + len(body) - _LEAST
    return cut > last.start and not _changes(data, _with_junk(data, scans, cut, last.end), pixels).pixels


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
