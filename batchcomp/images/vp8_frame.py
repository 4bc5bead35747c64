"""The partitions of a VP8 key frame, the lossy bitstream of WebP (RFC 6386, 9.2 to 9.5 and 19.2)."""

from __future__ import annotations

from typing import Final

_HEAD: Final = 10  # bytes: frame tag, start code, width and height
_EVEN: Final = 128  # the probability of a bit of the header, in 256ths
_SIZE: Final = 3  # bytes of a partition's size


class _Bits:
    """The boolean decoder (RFC 6386, 7.3) for bits that are as likely 0 as 1."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 2
        self._value, self._range, self._shifts = int.from_bytes(data[:2].ljust(2, b"\0"), "big"), 255, 0

    def bit(self) -> int:
        split = 1 + (((self._range - 1) * _EVEN) >> 8)
        found = int(self._value >= split << 8)
        self._range, self._value = (self._range - split, self._value - (split << 8)) if found else (split, self._value)
        while self._range < _EVEN:
            self._value, self._range, self._shifts = self._value << 1, self._range << 1, self._shifts + 1
            if self._shifts % 8 == 0:
                self._value |= self._data[self._at] if self._at < len(self._data) else 0
                self._at += 1
        return found

    def number(self, count: int) -> int:
        value = 0
        for _ in range(count):
            value = value << 1 | self.bit()
        return value

    def optional(self, count: int) -> None:
        """Pass over a number that stands there only after a 1."""
        if self.bit():
            self.number(count)


def partitions(frame: bytes) -> list[bytes]:
    """Return the first partition, of modes, and those of coefficients behind it.

    Raises:
        ValueError: it is no key frame, or its sizes lead out of it.
    """
    first, count = _first(frame), _count(frame)
    at = _HEAD + first + _SIZE * (count - 1)
    sizes = [int.from_bytes(frame[start : start + _SIZE], "little") for start in range(_HEAD + first, at, _SIZE)]
    if at + sum(sizes) > len(frame):
        raise ValueError("a partition leads out of the frame")
    found = [frame[_HEAD : _HEAD + first]]
    for size in sizes:
        found.append(frame[at : at + size])
        at += size
    return [*found, frame[at:]]


def with_partition(frame: bytes, number: int, content: bytes) -> bytes:
    """Return a frame with `content` in place of a partition. Raises ValueError as `partitions`."""
    found = partitions(frame)
    found[number] = content
    first, others = found[0], found[1:]
    tag = int.from_bytes(frame[:3], "little") & 31 | len(first) << 5
    sizes = b"".join(len(other).to_bytes(_SIZE, "little") for other in others[:-1])
    return tag.to_bytes(3, "little") + frame[3:_HEAD] + first + sizes + b"".join(others)


def _first(frame: bytes) -> int:
    size = int.from_bytes(frame[:3], "little") >> 5
    if len(frame) < _HEAD or frame[0] & 1 or _HEAD + size > len(frame):
        raise ValueError("no key frame")
    return size


def _count(frame: bytes) -> int:
    """Return how many partitions of coefficients there are: read the header as far as that (19.2)."""
    bits = _Bits(frame[_HEAD : _HEAD + _first(frame)])
    bits.number(2)  # colour space, clamping
    if bits.bit():  # segments
        map_changes, data_change = bits.bit(), bits.bit()
        if data_change:
            bits.bit()
            for count in (8, 8, 8, 8, 7, 7, 7, 7):  # quantiser and filter level, each with its sign
                bits.optional(count)
        for _ in range(3 * map_changes):
            bits.optional(8)
    bits.number(10)  # the filter: type, level, sharpness
    if bits.bit() and bits.bit():  # its changes, if there are any
        for _ in range(8):
            bits.optional(7)
    return 1 << bits.number(2)
