"""Lossless recompression of JPEG payloads, back to the very bytes.

    offset  size  field
    0       4     BC 70 6B 32 (the last three are "pk2")
    4       4     first bytes of the SHA-256 of the packer's networks
    8       4     CRC-32 of the front, the tables and the coefficients: whether these came through
    12      2     low half of the CRC-32 of the JPEG file: whether a rewritten file is the very same
    14      4     F, bytes of the front as stored; the highest bit says that it is deflated (zlib)
    18      F     the front: the JPEG's segments before its picture (metadata, our header), without SOI
    18+F          tables and coefficients: see `context` and `coder`

All numbers are big-endian. The JPEG is written anew from its coefficients and squeezed again; `pack` makes sure that
the result is the same file. Another version of the optimiser could write other bytes for the same picture: then
`unpack` says so, and decoding goes on.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from batchcomp.codec import jpeg, payload
from batchcomp.codec.baseline import jpeg_of
from batchcomp.codec.dct import ZIGZAG, Coefficients, bands
from batchcomp.codec.pack.coder import Coder, RangeReader, RangeWriter, Walk
from batchcomp.codec.pack.model import Packer, by_key, shipped
from batchcomp.errors import PayloadError
from batchcomp.images.jpeg_segments import is_metadata

MAGIC: Final = b"\xbcpk2"
HEAD: Final = struct.Struct(">4s4sIHI")
SUFFIX: Final = ".bcp"
_DEFLATED: Final = 1 << 31
_BAND_BLOCKS: Final = 1 << 16  # coded at once, which bounds memory; a band knows nothing of the others
MAX_PIXELS: Final = 2**24  # of a compact picture; larger ones stay JPEG, which takes less memory
_MAX_FRONT: Final = 2**28


def is_packed(data: bytes) -> bool:
    """Whether a file is what `pack` writes, by its first bytes."""
    return data.startswith(MAGIC)


def pack(data: bytes, found: Coefficients, tables: NDArray[np.int64], *, check: bool = True) -> bytes | None:
    """Recompress a JPEG payload.

    Args:
        data: the payload, as `Codec.encode` wrote it.
        found: the coefficients that it stores.
        tables: the quantisation tables (2, 8, 8) it was encoded with.
        check: unpack it again before it is trusted, as must be done before anything is stored.

    Returns:
        The packed payload; None where it would not be smaller, or not give back the same bytes, or the picture has more
        than `MAX_PIXELS`.

    Raises:
        UsageError: constriction is not installed.
    """
    packer, header = shipped(), payload.parse(data)
    if 64 * found.shape[1] * found.shape[2] > MAX_PIXELS:
        return None
    tables = tables[[0, 0]] if header.grey else tables
    front = _front(data)
    if _written(front, found, tables, header) != data:
        return None
    body = _encoded(packer, found, tables, header)
    checks = _content_crc(front, found, tables), zlib.crc32(data) & 0xFFFF
    deflated = zlib.compress(front, 9)
    stored, flag = (deflated, _DEFLATED) if len(deflated) < len(front) else (front, 0)
    packed = HEAD.pack(MAGIC, packer.key, *checks, len(stored) | flag) + stored + body
    return packed if len(packed) < len(data) and (not check or unpack(packed) == data) else None


def unpack(data: bytes) -> bytes:
    """Return the JPEG payload that was packed, byte for byte.

    Raises:
        PayloadError: the data are damaged, or this MozJPEG writes other bytes than the one that wrote the payload.
        UsageError: constriction is not installed.
    """
    front, found, tables = _decoded(data)
    written = _written(front, found, tables, payload.parse(payload.SOI + front + payload.EMPTY_SCAN))
    if zlib.crc32(written) & 0xFFFF != HEAD.unpack_from(data)[3]:
        raise PayloadError(
            "the picture is intact, but the JPEG optimiser of this version writes other bytes than it was stored with; "
            "use `batchcomp decode`, or the version of mozjpeg-lossless-optimization that wrote it"
        )
    return written


def picture_of(data: bytes) -> bytes:
    """Return a JPEG payload of the same picture, header and metadata, quickly and in whatever bytes.

    Raises:
        PayloadError: the data are damaged.
        UsageError: constriction is not installed.
    """
    front, found, tables = _decoded(data)
    header = payload.parse(payload.SOI + front + payload.EMPTY_SCAN)
    return payload.SOI + front + jpeg_of(found, tables, header.compact_size)[len(payload.SOI) :]


def header_of(data: bytes) -> payload.PayloadHeader:
    """Read the header of a packed payload without decoding it.

    Raises:
        PayloadError: there is none, or it makes no sense.
    """
    return payload.parse(payload.SOI + front_of(data) + payload.EMPTY_SCAN)


def front_of(data: bytes) -> bytes:
    """The segments before the picture of the JPEG that was packed.

    Raises:
        PayloadError: they are damaged.
    """
    if len(data) < HEAD.size:
        raise PayloadError("the packed picture is cut short; use an intact copy")
    length = HEAD.unpack_from(data)[4]
    stored = data[HEAD.size : HEAD.size + (length & ~_DEFLATED)]
    if not length & _DEFLATED:
        return stored
    try:
        return zlib.decompressobj().decompress(stored, _MAX_FRONT)
    except zlib.error as error:
        raise PayloadError(f"the packed picture is damaged ({error}); use an intact copy") from error


def _front(data: bytes) -> bytes:
    end = next(s.start for s in payload.segments(data) if not is_metadata(s.marker))
    return data[len(payload.SOI) : end]


def _written(front: bytes, found: NDArray[np.int16], tables: NDArray[np.int64], header: payload.PayloadHeader) -> bytes:
    """The JPEG as `jpeg.encode` and `payload.insert` write it."""
    squeezed = jpeg.squeeze(jpeg_of(found, tables, header.compact_size))
    return payload.SOI + front + squeezed[len(payload.SOI) :]


def _content_crc(front: bytes, found: NDArray[np.int16], tables: NDArray[np.int64]) -> int:
    return zlib.crc32(found.astype(">i2").tobytes(), zlib.crc32(tables.astype(np.uint8).tobytes(), zlib.crc32(front)))


def _bands(rows: int, columns: int) -> Iterator[slice]:
    """Rows of blocks that are coded together."""
    return bands(rows, columns, _BAND_BLOCKS)


def _encoded(
    packer: Packer, found: NDArray[np.int16], tables: NDArray[np.int64], header: payload.PayloadHeader
) -> bytes:
    writer = RangeWriter()
    _code_tables(writer, packer, header, len(found), tables)
    walk = Walk(writer, packer, round(header.quality))
    for band in _bands(*found.shape[1:3]):
        part = found[:, band]
        walk.planes(part.shape[:3], tables, part)
    return writer.finish()


def _decoded(data: bytes) -> tuple[bytes, NDArray[np.int16], NDArray[np.int64]]:
    """Front, coefficients and tables; compared with their checksum."""
    front, header = front_of(data), header_of(data)
    _, key, check, _, length = HEAD.unpack_from(data)
    packer = by_key(key)
    width, height = header.compact_size
    if width * height > MAX_PIXELS:
        raise PayloadError(f"{width}x{height} is more than is ever packed; the payload may be forged, not decoded")
    reader = RangeReader(data[HEAD.size + (length & ~_DEFLATED) :])
    planes = 1 if header.grey else 3
    tables = _code_tables(reader, packer, header, planes, None)
    walk = Walk(reader, packer, round(header.quality))
    rows, columns = -(-height // 8), -(-width // 8)
    parts = [walk.planes((planes, band.stop - band.start, columns), tables) for band in _bands(rows, columns)]
    found = np.concatenate(parts, axis=1)
    if _content_crc(front, found, tables) != check:
        raise PayloadError("the packed picture does not have its checksum; use an intact copy")
    return front, found, tables


class _Adaptive:
    """One binary decision that learns its odds."""

    def __init__(self) -> None:
        self._ones, self._all = 1, 2

    def code(self, coder: Coder, bit: bool | None) -> bool:
        odds = np.array([((self._ones << 22) // self._all) / (1 << 22)])
        answer = bool(coder.code(odds, None if bit is None else np.array([bit]))[0])
        self._ones, self._all = self._ones + 2 * answer, self._all + 2
        return answer


def _code_tables(
    coder: Coder, packer: Packer, header: payload.PayloadHeader, planes: int, tables: NDArray[np.int64] | None
) -> NDArray[np.int64]:
    """Tables by their difference from what the packer expects at this quality: zero, sign, and size in unary."""
    expected = packer.expected(header.model, header.quality)
    kinds = min(planes, 2)
    answer = np.ones((2, 64), np.int64)
    zero, sign, more = _Adaptive(), _Adaptive(), [_Adaptive() for _ in range(8)]
    for kind in range(kinds):
        for at in range(64):
            truth = None if tables is None else int(tables[kind].flat[ZIGZAG[at]] - expected[kind, at])
            difference = _coded_difference(coder, truth, zero, sign, more)
            answer[kind, ZIGZAG[at]] = min(255, max(1, int(expected[kind, at]) + difference))
    if kinds == 1:
        answer[1] = answer[0]
    return answer.reshape(2, 8, 8)


def _coded_difference(coder: Coder, truth: int | None, zero: _Adaptive, sign: _Adaptive, more: list[_Adaptive]) -> int:
    if not zero.code(coder, None if truth is None else truth != 0):
        return 0
    negative = sign.code(coder, None if truth is None else truth < 0)
    size = 1
    while size < 255 and more[min(size, 7)].code(coder, None if truth is None else abs(truth) > size):
        size += 1
    return -size if negative else size
