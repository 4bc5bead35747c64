"""What a JPEG XL file says of itself, read without decoding (ISO/IEC 18181-1 annex D, 18181-2 clause 9).

The decoder of the `[jxl]` extra decodes all pixels at once and tells neither size nor animation before.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

CODESTREAM = b"\xff\x0a"  # begins the bare pictures
CONTAINER = b"\0\0\0\x0cJXL \r\n\x87\n"  # begins files with boxes
_RATIOS = ((0, 1), (1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
_SIZE = ((1, 9), (1, 13), (1, 18), (1, 30))


@dataclass(frozen=True, kw_only=True)
class JxlHeader:
    """Size in pixels as coded, and why the picture cannot be carried ("" where it can)."""

    width: int
    height: int
    reason: str


def boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield (type, content) of the boxes of a container; none for a bare codestream."""
    at = len(CONTAINER) if data.startswith(CONTAINER) else len(data)
    while at + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        head = 8
        if size == 1 and at + 16 <= len(data):
            (size,), head = struct.unpack_from(">Q", data, at + 8), 16
        if size == 0:
            size = len(data) - at
        if size < head or at + size > len(data):
            return
        yield kind, data[at + head : at + size]
        at += size


def header(data: bytes) -> JxlHeader:
    """Return the header of a JPEG XL file.

    Raises:
        ValueError: it is damaged or cut off.
    """
    stream = data if data.startswith(CODESTREAM) else _codestream(data)
    bits = _BitReader(stream[2:96])
    height, width = _size(bits)
    return JxlHeader(width=width, height=height, reason=_reason(bits))


def _codestream(data: bytes) -> bytes:
    for kind, content in boxes(data):
        if kind in {b"jxlc", b"jxlp"}:
            return content[4:] if kind == b"jxlp" else content
    raise ValueError("no codestream in the container")


def jpeg_inside(data: bytes) -> bytes | None:
    """Return the JPEG file that a JPEG XL file was made from without loss, byte for byte; None where there is none."""
    if not any(kind == b"jbrd" for kind, _ in boxes(data)):
        return None
    from pillow_jxl import Decoder  # noqa: PLC0415 - of an extra

    is_jpeg, _, jpeg, _, _ = Decoder(num_threads=0)(data)
    return bytes(jpeg) if is_jpeg else None


def has_surplus(data: bytes) -> bool:
    """Tell whether a JPEG XL file, which can be decoded, goes on behind its picture with anything but zeros.

    The decoder takes no picture that lacks its last byte, so one more byte can be told from none.
    """
    from pillow_jxl import Decoder  # noqa: PLC0415 - of an extra

    try:
        Decoder(num_threads=0)(_whole_codestream(data).rstrip(b"\0")[:-1])
    except RuntimeError:
        return False
    return True


def _whole_codestream(data: bytes) -> bytes:
    if data.startswith(CODESTREAM):
        return data
    parts = ((kind, content) for kind, content in boxes(data) if kind in {b"jxlc", b"jxlp"})
    return b"".join(content[4:] if kind == b"jxlp" else content for kind, content in parts)


class _BitReader:
    """Reads numbers bit by bit, lowest first."""

    def __init__(self, data: bytes) -> None:
        self._value, self._left = int.from_bytes(data, "little"), len(data) * 8

    def u(self, count: int) -> int:
        if count > self._left:
            raise ValueError("the header is cut off")
        value = self._value & ((1 << count) - 1)
        self._value >>= count
        self._left -= count
        return value

    def choice(self, *ranges: tuple[int, int]) -> int:
        """Read the number of one of four (offset, bits)."""
        offset, count = ranges[self.u(2)]
        return offset + self.u(count)


def _size(bits: _BitReader) -> tuple[int, int]:
    """Read SizeHeader; return (height, width)."""
    small = bits.u(1)
    height = 8 * (bits.u(5) + 1) if small else bits.choice(*_SIZE)
    over, under = _RATIOS[bits.u(3)]
    if over:
        return height, height * over // under
    return height, 8 * (bits.u(5) + 1) if small else bits.choice(*_SIZE)


def _reason(bits: _BitReader) -> str:
    """Read ImageMetadata as far as it speaks of what a picture of 8 bits cannot hold."""
    if bits.u(1):  # all values are default: 8 bits, RGB, nothing else
        return ""
    if bits.u(1):
        bits.u(3)  # orientation, which the decoder applies
        if bits.u(1):
            _size(bits)
        if bits.u(1):
            return "a preview beside the picture"
        if bits.u(1):
            return "animation"
    if bits.u(1):
        return "floating point samples"
    if bits.choice((8, 0), (10, 0), (12, 0), (1, 6)) > 8:
        return "more than 8 bits per sample"
    bits.u(1)
    return "further channels" if bits.choice((0, 0), (1, 0), (2, 4), (1, 12)) > 1 else ""
