"""From quantised DCT coefficients to a baseline JPEG file, all blocks at once: ITU-T T.81, annexes B, C, F and K.

Each plane has a scan of its own and the example Huffman codes of annex K.3, which know every symbol; `jpeg.squeeze`
then finds the codes and scans that fit the picture.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from batchcomp.codec.dct import ZIGZAG, Coefficients, in_bands
from batchcomp.codec.payload import SOI
from batchcomp.codec.rdoq import places

# Codes per length 1..16 and their symbols: T.81 tables K.3 (DC, luma) and K.5 (AC, luma), used for all planes.
_DC_COUNTS, _DC_SYMBOLS = (0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0), bytes(range(12))
_AC_COUNTS: Final = (0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 125)
_AC_SYMBOLS: Final = bytes.fromhex(
    "01020300041105122131410613516107227114328191a1082342b1c11552d1f02433627282090a161718191a25262728292a34353637"
    "38393a434445464748494a535455565758595a636465666768696a737475767778797a838485868788898a92939495969798999aa2a3"
    "a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae1e2e3e4e5e6e7e8e9eaf1f2f3f4f5f6f7f8f9fa"
)
_END_OF_BLOCK, _SIXTEEN_ZEROS = 0x00, 0xF0


def jpeg_of(coefficients: Coefficients, tables: NDArray[np.int64], size: tuple[int, int]) -> bytes:
    """A JPEG file without metadata.

    Args:
        coefficients: (planes, rows, columns, 8, 8) of blocks, 1 plane (grey) or 3 (YCbCr 4:4:4), each what 8-bit
            samples can have: below 2,048 in size.
        tables: (2, 8, 8), 1..255.
        size: (width, height) in pixels.
    """
    return jpeg_of_bands(in_bands(coefficients), tables, size)


def jpeg_of_bands(found: Iterable[Coefficients], tables: NDArray[np.int64], size: tuple[int, int]) -> bytes:
    """The same of coefficients that come some rows of blocks at a time, from top to bottom."""
    scans: list[_Scan] = []
    for band in found:
        scans = scans or [_Scan() for _ in band]
        for scan, plane in zip(scans, band, strict=True):
            scan.add(plane)
    planes = len(scans)
    parts = [SOI]
    parts += [
        _segment(0xDB, bytes((t,)) + _zigzag(tables[t]).astype(np.uint8).tobytes()) for t in range(min(planes, 2))
    ]
    components = b"".join(bytes((plane + 1, 0x11, min(plane, 1))) for plane in range(planes))
    parts.append(_segment(0xC0, struct.pack(">BHHB", 8, size[1], size[0], planes) + components))
    parts.append(_segment(0xC4, b"\x00" + bytes(_DC_COUNTS) + _DC_SYMBOLS + b"\x10" + bytes(_AC_COUNTS) + _AC_SYMBOLS))
    for plane, scan in enumerate(scans):
        parts += [_segment(0xDA, bytes((1, plane + 1, 0x00, 0, 63, 0))), scan.finish()]
    return b"".join((*parts, b"\xff\xd9"))


def _zigzag(table: NDArray[np.int64]) -> NDArray[np.int64]:
    return table.reshape(64)[ZIGZAG]


def _segment(marker: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def _codes(counts: tuple[int, ...], symbols: bytes) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Huffman code and its length by symbol (T.81, annex C)."""
    codes, lengths = np.zeros(256, np.int64), np.zeros(256, np.int64)
    code, at = 0, 0
    for length, count in enumerate(counts, start=1):
        for symbol in symbols[at : at + count]:
            codes[symbol], lengths[symbol] = code, length
            code += 1
        at += count
        code <<= 1
    return codes, lengths


_DC, _AC = _codes(_DC_COUNTS, _DC_SYMBOLS), _codes(_AC_COUNTS, _AC_SYMBOLS)


class _Scan:
    """The entropy-coded segment of one plane."""

    def __init__(self) -> None:
        self._bits, self._before = _CodeBits(), 0

    def add(self, rows: Coefficients) -> None:
        """Append rows of blocks (n, columns, 8, 8)."""
        blocks = rows.reshape(-1, 64)[:, ZIGZAG]
        self._bits.add(*_tokens(blocks, self._before))
        self._before = int(blocks[-1, 0])

    def finish(self) -> bytes:
        """All of it."""
        return _stuffed(self._bits.finish())


def _tokens(blocks: NDArray[np.int16], before: int) -> _Tokens:
    """Codes and their lengths of blocks (N, 64) in zigzag order, in the order of coding; `before`: the last DC."""
    differences = np.diff(blocks[:, 0].astype(np.int64), prepend=before)
    flat = places(blocks)
    number, position = flat >> 6, flat & 63
    values = blocks.reshape(-1)[flat].astype(np.int64)
    begins = np.diff(number, prepend=-1) != 0
    runs = position - np.where(begins, 0, np.roll(position, 1)) - 1
    skips = runs >> 4
    through = np.cumsum(skips)
    count = np.bincount(number, minlength=len(blocks))  # of a block, with its runs of sixteen zeros
    last = np.zeros(len(blocks), np.int64)
    last[number] = position  # the last one counts
    count += np.bincount(number, weights=skips, minlength=len(blocks)).astype(np.int64)
    is_open = last < 63
    shorter: NDArray[np.int64] = np.cumsum(is_open) - is_open  # blocks before that end with a code of their own
    starts = np.cumsum(count) - count + np.arange(len(blocks)) + shorter
    (open_blocks,) = np.nonzero(is_open)
    at = np.arange(len(number)) + through + number + 1 + shorter[number]
    skipping = np.repeat(at - through, skips) + np.arange(int(through[-1]) if len(through) else 0)
    tokens = [
        (starts, _coded(_DC, 0, differences.astype(np.int64))),
        (skipping, _alone(_SIXTEEN_ZEROS, len(skipping))),
        (at, _coded(_AC, runs & 15, values)),
        ((starts + count + 1)[open_blocks], _alone(_END_OF_BLOCK, len(open_blocks))),
    ]
    codes, lengths = np.empty((2, sum(len(order) for order, _ in tokens)), np.int64)
    for order, (some, their_lengths) in tokens:
        codes[order], lengths[order] = some, their_lengths
    return codes, lengths


_Tokens = tuple[NDArray[np.int64], NDArray[np.int64]]


_SIZES: Final = np.frexp(np.arange(4096.0))[1].astype(np.int64)  # bits of a magnitude


def _coded(table: _Tokens, runs: NDArray[np.int64] | int, values: NDArray[np.int64]) -> _Tokens:
    """Huffman code of (run, size of value), then the value's own bits; with their lengths in all."""
    sizes = _SIZES[np.abs(values)]
    symbols = sizes | (runs << 4)
    own = values + (((1 << sizes) - 1) & (values >> 63))  # of what is below zero one less, in so many bits
    return table[0][symbols] << sizes | own, table[1][symbols] + sizes


def _alone(symbol: int, count: int) -> _Tokens:
    return np.full(count, _AC[0][symbol]), np.full(count, _AC[1][symbol])


class _CodeBits:
    """Codes one behind the other, high bits first; the last byte is filled with ones."""

    def __init__(self) -> None:
        self._bytes: list[NDArray[np.uint8]] = []
        self._open, self._count = 0, 0  # the bits that do not fill a byte yet, and their number

    def add(self, codes: NDArray[np.int64], lengths: NDArray[np.int64]) -> None:
        """Append codes of up to 27 bits each."""
        starts = np.cumsum(lengths) - lengths + self._count
        words, at = starts >> 5, starts & 31
        both = codes.astype(np.uint64) << (64 - at - lengths).astype(np.uint64)  # of a word of 32 bits and the next
        total = int(starts[-1] + lengths[-1])
        sums = np.zeros((total >> 5) + 2, np.uint64)
        (firsts,) = np.nonzero(np.diff(words, prepend=-1))
        of_words = np.add.reduceat(both, firsts)  # bits do not overlap, so that nothing is carried
        sums[words[firsts]] = of_words >> np.uint64(32)
        sums[words[firsts] + 1] += of_words & np.uint64(0xFFFFFFFF)
        found = sums.astype(">u4").view(np.uint8)
        found[0] |= self._open << (8 - self._count)
        whole, self._count = divmod(total, 8)
        self._open = int(found[whole]) >> (8 - self._count)
        self._bytes.append(found[:whole])

    def finish(self) -> NDArray[np.uint8]:
        """All bytes."""
        rest = [] if not self._count else [self._open << (8 - self._count) | (1 << (8 - self._count)) - 1]
        return np.concatenate([*self._bytes, np.array(rest, np.uint8)])


def _stuffed(data: NDArray[np.uint8]) -> bytes:
    """A zero behind every FF, so that no marker appears."""
    (at,) = np.nonzero(data == 0xFF)
    return np.insert(data, at + 1, 0).tobytes()
