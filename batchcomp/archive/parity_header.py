"""What a parity file says of itself: its header, several times. docs/format.md specifies it."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from struct import Struct
from typing import Final

from batchcomp.archive.mapped import Bytes

MAGIC: Final = b"bcparity"
VERSION: Final = 1
_HEAD: Final = Struct("<8s2H3I2Q32s")  # magic, version, block, stripes, rows, share, size, number, SHA-256
HEADER_BYTES: Final = _HEAD.size + 4  # and the CRC-32 of it
COPIES: Final = 5  # of the header
BLOCK_SIZES: Final = (64, 128, 256, 512)
MOST: Final = 32_768  # blocks of a stripe, and rows: what `erasure` can do
_FEW: Final = 16_384  # blocks up to which the smallest size will do
_SPARE: Final = 4  # rows beyond the share: damage in one piece begins and ends within a block


@dataclass(frozen=True, kw_only=True, slots=True)
class Shape:
    """What a header says. `share` is in hundredths of a per cent, `size` the segment's in bytes."""

    number: int
    size: int
    block: int
    stripes: int
    rows: int
    share: int
    sha256: bytes

    @property
    def blocks(self) -> int:
        """Blocks of the segment; the last one may be short and is filled up with zeros."""
        return -(-self.size // self.block)

    @property
    def columns(self) -> int:
        """Blocks of a stripe; the last stripes may have one less, in whose place zeros stand."""
        return -(-self.blocks // self.stripes)

    @property
    def checks(self) -> int:
        """Checksums in a row."""
        return -(-self.blocks // self.rows)

    @property
    def row_bytes(self) -> int:
        """Bytes of a row: checksums, and a parity block with its own checksum for each stripe."""
        return 4 * self.checks + self.stripes * (self.block + 4)

    @property
    def file_bytes(self) -> int:
        """Bytes of the parity file."""
        return self.rows * self.row_bytes + COPIES * HEADER_BYTES

    @property
    def starts(self) -> list[int]:
        """Which row each copy of the header stands before."""
        return [copy * self.rows // (COPIES - 1) for copy in range(COPIES)]

    def header(self) -> bytes:
        """Return the header."""
        head = (MAGIC, VERSION, self.block, self.stripes, self.rows, self.share, self.size, self.number, self.sha256)
        data = _HEAD.pack(*head)
        return data + zlib.crc32(data).to_bytes(4, "little")


def shape_for(size: int, number: int, share: float, digest: bytes) -> Shape:
    """Choose blocks, stripes and rows for a segment of `size` bytes; `share` is the parity for each byte, 0 to 1."""
    block = next((one for one in BLOCK_SIZES if size <= _FEW * one), BLOCK_SIZES[-1])
    blocks = max(1, -(-size // block))
    stripes = -(-blocks // MOST)
    part = round(share * 10_000)
    rows = min(MOST, -(-part * -(-blocks // stripes) // 10_000) + _SPARE)
    return Shape(number=number, size=size, block=block, stripes=stripes, rows=rows, share=part, sha256=digest)


def find_header(data: Bytes) -> Shape | None:
    """Return what the first intact copy of the header says, None if there is none."""
    raw = bytes(data)
    at = raw.find(MAGIC)
    while at >= 0:
        if shape := parse_header(raw[at : at + HEADER_BYTES]):
            return shape if shape.file_bytes <= 2 * len(raw) + 65_536 else None  # forged ones cost no memory
        at = raw.find(MAGIC, at + 1)
    return None


def parse_header(data: bytes) -> Shape | None:
    """Return what a header says, None if it is damaged or of another version."""
    if len(data) != HEADER_BYTES or zlib.crc32(data[:-4]) != int.from_bytes(data[-4:], "little"):
        return None
    magic, version, block, stripes, rows, share, size, number, digest = _HEAD.unpack(data[:-4])
    if magic != MAGIC or version != VERSION or block not in BLOCK_SIZES or not (stripes and size):
        return None
    shape = Shape(number=number, size=size, block=block, stripes=stripes, rows=rows, share=share, sha256=digest)
    return shape if 0 < rows <= MOST and shape.columns <= MOST and stripes <= shape.blocks else None
