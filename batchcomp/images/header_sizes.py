"""The size of a picture from its header alone, read here and not by a decoder: the file is not trusted yet.

Each function takes the first bytes of a file and the file, and returns width and height in pixels; bad content raises
one of `BAD`.
"""

from __future__ import annotations

import re
import struct
from typing import IO, Final

from batchcomp.images import jxl
from batchcomp.images.jpeg_segments import SOF, walk

BAD: Final = (OSError, ValueError, struct.error, IndexError, OverflowError)
HEAD_BYTES: Final = 4096  # of a file; the size stands further back in JPEG, TIFF and HEIF only
_HEIF_HEAD: Final = 65_536
_TIFF_SIDES: Final = {256: 0, 257: 1}
_MAX_READS: Final = 2000  # in a JPEG, on the way to its frame header

Size = tuple[int, int]


def jpeg_size(_head: bytes, file: IO[bytes]) -> Size:
    """Walk over the segments to the frame header (ITU-T T.81, B.2.2)."""
    reads = 0

    def read(at: int, count: int) -> bytes:
        nonlocal reads
        reads += 1
        file.seek(at)
        return file.read(count) if reads <= _MAX_READS else b""

    for segment in walk(read):
        if segment.marker in SOF:
            file.seek(segment.start + 5)
            height, width = struct.unpack(">HH", file.read(4))
            return width, height
    return 0, 0


def png_size(head: bytes, _file: IO[bytes]) -> Size:
    width, height = struct.unpack_from(">II", head, 16)
    return width, height


def gif_size(head: bytes, _file: IO[bytes]) -> Size:
    width, height = struct.unpack_from("<HH", head, 6)
    return width, height


def bmp_size(head: bytes, _file: IO[bytes]) -> Size:
    width, height = struct.unpack_from("<HH", head, 18) if head[14] == 12 else struct.unpack_from("<ii", head, 18)
    return width, abs(height)


def webp_size(head: bytes, _file: IO[bytes]) -> Size:
    """RFC 9649: a lossy, a lossless or an extended file."""
    kind = head[12:16]
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", head, 26)
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", head, 21)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return int.from_bytes(head[24:27], "little") + 1, int.from_bytes(head[27:30], "little") + 1


def ppm_size(head: bytes, _file: IO[bytes]) -> Size:
    _, width, height, *_ = re.sub(rb"#[^\r\n]*", b" ", head).split(maxsplit=3)
    return int(width), int(height)


def heif_size(_head: bytes, file: IO[bytes]) -> Size:
    """The largest size that an item of the file has (ISO/IEC 23008-12, 6.5.3 `ispe`)."""
    file.seek(0)
    found = re.finditer(rb"ispe\0\0\0\0(.{8})", file.read(_HEIF_HEAD), re.DOTALL)
    sizes = [struct.unpack(">II", match[1]) for match in found]
    return max(((width, height) for width, height in sizes), key=lambda size: size[0] * size[1], default=(0, 0))


def jxl_size(head: bytes, _file: IO[bytes]) -> Size:
    found = jxl.header(head)
    return found.width, found.height


def tiff_size(head: bytes, file: IO[bytes]) -> Size:
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
