"""The bytes of a parity file: recovery data of one segment. docs/format.md specifies them; `erasure` is the arithmetic.

The segment is cut into small blocks, each with a checksum, so that damage is located and counts as a lost block. Blocks
take turns in code words (stripes), so that damage in one piece is spread over all of them. numpy is loaded with this.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from batchcomp.archive.erasure import parity_of, solve
from batchcomp.archive.mapped import Bytes
from batchcomp.archive.parity_header import HEADER_BYTES, Shape, shape_for

_PIECE: Final = 4096  # blocks that are handled at a time where a whole segment is read

Octets = NDArray[np.uint8]


def build(data: Bytes, number: int, share: float) -> Iterator[bytes]:
    """Yield the parity file of segment `number`, whose bytes are `data`."""
    shape = shape_for(len(data), number, share, sha256(data).digest())
    checks = np.zeros(shape.rows * shape.checks, "<u4")
    checks[: shape.blocks] = block_checks(data, shape)
    parts = np.empty((shape.rows, shape.stripes, shape.block + 4), np.uint8)
    for stripe in range(shape.stripes):
        parts[:, stripe, : shape.block] = _parity(stripe_of(data, shape, stripe), shape)
    for row in range(shape.rows):
        yield shape.header() * shape.starts.count(row)
        for part in parts[row]:
            part[shape.block :] = np.frombuffer(_check(part[: shape.block]), np.uint8)
        yield checks[row * shape.checks : (row + 1) * shape.checks].tobytes() + parts[row].tobytes()
    yield shape.header()


def block_checks(data: Bytes, shape: Shape) -> NDArray[np.uint32]:
    """Return the CRC-32 of each block that a segment should have; what is missing of `data` counts as zeros."""
    found = np.empty(shape.blocks, np.uint32)
    for start in range(0, shape.blocks, _PIECE):
        piece = memoryview(piece_of(data, shape, start))
        for index in range(len(piece) // shape.block):
            found[start + index] = zlib.crc32(piece[index * shape.block : (index + 1) * shape.block])
    return found


def piece_of(data: Bytes, shape: Shape, start: int) -> bytearray:
    """Return up to `_PIECE` whole blocks from `start` on, filled up with zeros."""
    end = min(shape.blocks, start + _PIECE) * shape.block
    piece = bytearray(data[start * shape.block : min(end, shape.size)])
    return piece + bytes(end - start * shape.block - len(piece))


def stripe_of(data: Bytes, shape: Shape, stripe: int) -> Octets:
    """Return the blocks of a stripe, a copy of shape (columns, block); what is missing of `data` counts as zeros."""
    found = np.zeros((shape.columns, shape.block), np.uint8)
    whole, rest = divmod(min(len(data), shape.size), shape.block)
    blocks = np.frombuffer(data, np.uint8, whole * shape.block).reshape(whole, shape.block)[stripe :: shape.stripes]
    found[: len(blocks)] = blocks
    if rest and whole % shape.stripes == stripe:
        found[whole // shape.stripes, :rest] = np.frombuffer(data, np.uint8, rest, whole * shape.block)
    return found


class Parity:
    """A parity file in memory. Damage of its own costs what it hits: a checksum, a parity block, a copy of the header.

    Attributes:
        shape: what its header says.
        sound: (rows, stripes), which of its parity blocks are as they were written.
        perfect: whether everything but the checksums of the segment's blocks is as it was written.
    """

    def __init__(self, data: Bytes, shape: Shape) -> None:
        self.shape = shape
        raw = np.zeros(shape.file_bytes, np.uint8)  # a file that was cut off is filled up
        raw[: min(len(data), len(raw))] = np.frombuffer(data, np.uint8, min(len(data), len(raw)))
        rows, headers = self._split(raw)
        cut = 4 * shape.checks
        checks = rows[:, :cut].copy().view("<u4").ravel()
        self._checks = checks[: shape.blocks]
        self._parts = rows[:, cut:].reshape(shape.rows, shape.stripes, shape.block + 4)
        sound = [_check(part[: shape.block]) == part[shape.block :].tobytes() for row in self._parts for part in row]
        self.sound: NDArray[np.bool_] = np.array(sound, bool).reshape(shape.rows, shape.stripes)
        whole = len(data) == len(raw) and all(one == shape.header() for one in headers)
        self.perfect = bool(whole and self.sound.all() and not checks[shape.blocks :].any())

    def lost(self, data: Bytes) -> NDArray[Any]:
        """Return the indices of the blocks that are not what they should be, or whose checksum is not."""
        return np.flatnonzero(block_checks(data, self.shape) != self._checks)

    def bears(self) -> int:
        """Return how many lost blocks it makes up for, wherever they are."""
        return int(self.sound.sum(axis=0).min())

    def can_restore(self, lost: NDArray[Any]) -> bool:
        """Tell whether these blocks can be had back."""
        stripes = np.bincount(lost % self.shape.stripes, minlength=self.shape.stripes)
        return bool((stripes <= self.sound.sum(axis=0)).all())

    def blocks_of(self, data: Bytes, lost: NDArray[Any]) -> dict[int, bytes]:
        """Return what the lost blocks held, by index; `can_restore` must be true of them."""
        found: dict[int, bytes] = {}
        for stripe in np.unique(lost % self.shape.stripes):
            own = lost[lost % self.shape.stripes == stripe]
            columns, rows = own // self.shape.stripes, np.flatnonzero(self.sound[:, stripe])[: len(own)]
            blocks = stripe_of(data, self.shape, int(stripe))
            blocks[columns] = 0
            stored = self._parts[rows, stripe, : self.shape.block]
            difference = (stored ^ _parity(blocks, self.shape)[rows]).view("<u2").astype(np.uint16)
            answer = solve(difference, rows, columns, self.shape.rows).astype("<u2").view(np.uint8)
            found |= {int(index): block.tobytes() for index, block in zip(own, answer, strict=True)}
        return found

    def _split(self, raw: Octets) -> tuple[Octets, list[bytes]]:
        """Return the rows (rows, row_bytes), and the copies of the header that stand before and behind them."""
        rows, headers, at = [], [], 0
        for start, end in zip(self.shape.starts, [*self.shape.starts[1:], self.shape.rows], strict=True):
            headers.append(raw[at : at + HEADER_BYTES].tobytes())
            at += HEADER_BYTES + (end - start) * self.shape.row_bytes
            rows.append(raw[at - (end - start) * self.shape.row_bytes : at])
        return np.concatenate(rows).reshape(self.shape.rows, self.shape.row_bytes), headers


def mended(data: Bytes, shape: Shape, blocks: Mapping[int, bytes]) -> Iterator[bytes]:
    """Yield the segment's bytes with these blocks in their places, cut or filled up to its size."""
    for start in range(0, shape.blocks, _PIECE):
        piece = piece_of(data, shape, start)
        for index in range(start, min(start + _PIECE, shape.blocks)):
            if index in blocks:
                piece[(index - start) * shape.block : (index - start + 1) * shape.block] = blocks[index]
        yield bytes(piece[: shape.size - start * shape.block])


def _parity(blocks: Octets, shape: Shape) -> Octets:
    """Return the parity blocks (rows, block) of the blocks of a stripe."""
    symbols = blocks.view("<u2").astype(np.uint16)
    return parity_of(symbols, shape.rows).astype("<u2").view(np.uint8)


def _check(part: Octets) -> bytes:
    return zlib.crc32(part.tobytes()).to_bytes(4, "little")
