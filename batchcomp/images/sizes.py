"""The size of a picture from its header alone, read here and not by a decoder: the file is not trusted yet.

It decides nothing but how many pictures are held at once, so a wrong answer does no harm.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from pathlib import Path
from typing import IO

from batchcomp.images import jxl
from batchcomp.images.formats import recognise

_HEAD = 4096  # bytes; the size stands further back in JPEG and TIFF only
_HEIF_HEAD = 65_536
_SOF = frozenset((*range(0xC0, 0xC4), *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0)))
_TIFF_SIDES = {256: 0, 257: 1}
_SEGMENTS = 2000  # of a JPEG to look at

Size = tuple[int, int]


def estimate_bytes(path: Path) -> int:
    """Return the bytes that the pixels of a picture would take, from its header alone; 0 where that cannot be read."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
            entry = recognise(head)
            if entry is None or entry.name not in _SIZES:
                return 0
            width, height = _SIZES[entry.name](head, file)
            return width * height * 3
    except (OSError, ValueError, struct.error, IndexError, OverflowError):  # loading will say what is wrong
        return 0


def _jpeg(_head: bytes, file: IO[bytes]) -> Size:
    """Walk over the segments to the frame header (ITU-T T.81, B.2.2)."""
    at = 2
    for _ in range(_SEGMENTS):
        file.seek(at)
        mark, marker, length = struct.unpack(">BBH", file.read(4))
        if mark != 0xFF:
            break
        if marker in _SOF:
            _, height, width = struct.unpack(">BHH", file.read(5))
            return width, height
        at += 1 if marker == 0xFF else 2 + length
    return 0, 0


def _png(head: bytes, _file: IO[bytes]) -> Size:
    width, height = struct.unpack_from(">II", head, 16)
    return width, height


def _gif(head: bytes, _file: IO[bytes]) -> Size:
    width, height = struct.unpack_from("<HH", head, 6)
    return width, height


def _bmp(head: bytes, _file: IO[bytes]) -> Size:
    width, height = struct.unpack_from("<HH", head, 18) if head[14] == 12 else struct.unpack_from("<ii", head, 18)
    return width, abs(height)


def _webp(head: bytes, _file: IO[bytes]) -> Size:
    """RFC 9649: a lossy, a lossless or an extended file."""
    kind = head[12:16]
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", head, 26)
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", head, 21)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return int.from_bytes(head[24:27], "little") + 1, int.from_bytes(head[27:30], "little") + 1


def _ppm(head: bytes, _file: IO[bytes]) -> Size:
    _, width, height, *_ = re.sub(rb"#[^\r\n]*", b" ", head).split(maxsplit=3)
    return int(width), int(height)


def _heif(_head: bytes, file: IO[bytes]) -> Size:
    """The largest size that an item of the file has (ISO/IEC 23008-12, 6.5.3 `ispe`)."""
    file.seek(0)
    found = re.finditer(rb"ispe\0\0\0\0(.{8})", file.read(_HEIF_HEAD), re.DOTALL)
    sizes = [struct.unpack(">II", match[1]) for match in found]
    return max(((width, height) for width, height in sizes), key=lambda size: size[0] * size[1], default=(0, 0))


def _jxl(head: bytes, _file: IO[bytes]) -> Size:
    found = jxl.header(head)
    return found.width, found.height


def _tiff(head: bytes, file: IO[bytes]) -> Size:
    """Width and height of the first directory (TIFF 6.0, section 2; BigTIFF likewise with longer fields)."""
    order = "<" if head.startswith(b"II") else ">"
    big = head[2] == 43 or head[3] == 43
    file.seek(struct.unpack_from(f"{order}{'Q' if big else 'I'}", head, 8 if big else 4)[0])
    (count,) = struct.unpack(f"{order}{'Q' if big else 'H'}", file.read(8 if big else 2))
    sides = [0, 0]
    for _ in range(min(count, 1000)):
        field = file.read(20 if big else 12)
        tag, kind = struct.unpack_from(f"{order}HH", field)
        if tag in _TIFF_SIDES:
            code = {3: "H", 4: "I", 16: "Q"}.get(kind, "I")
            (sides[_TIFF_SIDES[tag]],) = struct.unpack_from(order + code, field, 12 if big else 8)
    return sides[0], sides[1]


_SIZES: dict[str, Callable[[bytes, IO[bytes]], Size]] = {
    "JPEG": _jpeg,
    "PNG": _png,
    "GIF": _gif,
    "BMP": _bmp,
    "WebP": _webp,
    "PPM": _ppm,
    "AVIF": _heif,
    "HEIC": _heif,
    "JPEG XL": _jxl,
    "TIFF": _tiff,
}
