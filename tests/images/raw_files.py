"""Small camera raw files, made on the spot."""

from __future__ import annotations

import struct

import numpy as np

_TYPES = {"B": 1, "s": 2, "H": 3, "I": 4, "R": 5, "S": 10}


def _entry(number: int, kind: str, values: object, behind: bytearray, start: int) -> bytes:
    if kind == "s":
        assert isinstance(values, bytes)
        data, count = values + b"\0", len(values) + 1
    elif kind in {"R", "S"}:
        assert isinstance(values, tuple)
        data = b"".join(struct.pack("<iI" if kind == "S" else "<II", round(v * 10_000), 10_000) for v in values)
        count = len(values)
    else:
        assert isinstance(values, tuple)
        data, count = struct.pack(f"<{len(values)}{kind}", *values), len(values)
    if len(data) > 4:
        place = start + len(behind)
        behind += data + bytes(len(data) % 2)
        data = struct.pack("<I", place)
    return struct.pack("<HHI", number, _TYPES[kind], count) + data.ljust(4, b"\0")


def _directory(tags: list[tuple[int, str, object]], at: int) -> bytes:
    behind, start = bytearray(), at + 2 + 12 * len(tags) + 4
    entries = [_entry(*tag, behind, start) for tag in sorted(tags, key=lambda tag: tag[0])]
    return struct.pack("<H", len(tags)) + b"".join(entries) + bytes(4) + bytes(behind)


def dng(width: int = 96, height: int = 64, *, orientation: int = 1, maker: bytes = b"notes of the maker") -> bytes:
    """Return a DNG whose sensor, an RGGB mosaic of 16 bits without packing, saw dark green left and red right."""
    sensor = np.full((height, width), 6000, np.uint16)
    sensor[0::2, width // 2 & ~1 :: 2] = 50_000  # red ones of the right half
    sensor[0::2, 1::2] = sensor[1::2, 0::2] = 12_000
    pixels = sensor.astype("<u2").tobytes()
    exif_at = 8
    exif = _directory([(36_867, "s", b"2026:11:01 12:00:00"), (33_434, "R", (0.01,)), (37_500, "s", maker)], exif_at)
    first_at = exif_at + len(exif)
    identity = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)

    def first(pixels_at: int) -> bytes:
        tags: list[tuple[int, str, object]] = [
            (254, "I", (0,)), (256, "I", (width,)), (257, "I", (height,)), (258, "H", (16,)), (259, "H", (1,)),
            (262, "H", (32_803,)), (271, "s", b"Maker"), (272, "s", b"Model"), (273, "I", (pixels_at,)),
            (274, "H", (orientation,)), (277, "H", (1,)), (278, "I", (height,)), (279, "I", (len(pixels),)),
            (284, "H", (1,)), (33_421, "H", (2, 2)), (33_422, "B", (0, 1, 1, 2)), (34_665, "I", (exif_at,)),
            (50_706, "B", (1, 4, 0, 0)), (50_708, "s", b"Maker Model"), (50_717, "I", (65_535,)),
            (50_721, "S", identity), (50_728, "R", (1.0, 1.0, 1.0)), (50_778, "H", (21,)),
        ]  # fmt: skip
        return _directory(tags, first_at)

    pixels_at = first_at + len(first(0))
    return b"II*\0" + struct.pack("<I", first_at) + exif + first(pixels_at) + pixels
