"""A manifest as its entry holds it: as it is, or deflated in blocks that can be read each by itself.

A ZIP entry of method 8 (RFC 1951), so that any ZIP tool reads it. After every block the compressor is flushed and
forgets what came before: behind the marker 00 00 FF FF that a flush leaves, decompression can begin anew, so that a
damaged block costs its own rows only.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Final

from batchcomp.archive.names import MANIFEST_NAME

STORED_UP_TO: Final = 8192  # bytes of a manifest that is not deflated: little to gain, and each byte is one's own
_BLOCK: Final = 128 * 1024  # bytes of text between two flushes: some 200 rows
_RAW: Final = -zlib.MAX_WBITS
_FLUSHED: Final = b"\0\0\xff\xff"
_MOST_TEXT: Final = 2**27  # bytes that are taken from what is damaged


def deflated(data: bytes) -> bytes:
    """What the entry of a manifest holds: `data`, or fewer bytes.

    Nearly half of a row is checksums, whose digits say nothing of one another: `Z_FILTERED` leaves repetitions of fewer
    than six bytes alone, which are chance there and cost more than the digits. That saves a tenth.
    """
    if len(data) <= STORED_UP_TO:
        return data
    compressor, parts = zlib.compressobj(9, zlib.DEFLATED, _RAW, zlib.DEF_MEM_LEVEL, zlib.Z_FILTERED), []
    at = 0
    while at < len(data):
        end = data.find(b"\n", at + _BLOCK) + 1 or len(data)  # no row lies in two blocks
        parts += [compressor.compress(data[at:end]), compressor.flush(zlib.Z_FULL_FLUSH)]
        at = end
    found = b"".join((*parts, compressor.flush()))
    return found if len(found) < len(data) else data


def inflated(data: bytes, size: int) -> bytes:
    """Return the `size` bytes that the whole of `data` holds deflated.

    Raises:
        ValueError: it is damaged, or holds another number of bytes; never more than one too many are made.
    """
    decompressor = zlib.decompressobj(_RAW)
    try:
        found = decompressor.decompress(data, size + 1)
    except zlib.error as error:
        raise ValueError(f"it cannot be inflated ({error})") from error
    if len(found) != size or not decompressor.eof or decompressor.unused_data:
        raise ValueError("it does not hold as many bytes deflated as it names")
    return found


def texts(data: bytes) -> Iterator[bytes]:
    """Yield every text in damaged bytes that hold a manifest somewhere: themselves, and what can be inflated.

    Nothing of it is trusted: a line proves itself, or does not.
    """
    yield data
    left, at = _MOST_TEXT, _body_of(data)
    while 0 <= at < len(data) and left > 0:
        text, end = _block(data, at, left)
        left -= len(text)
        yield text
        at = end


def _body_of(data: bytes) -> int:
    """Where the first block begins: behind the name in the local header, or a marker where that is gone; else -1."""
    name = MANIFEST_NAME.encode()
    found = data.find(name)
    return found + len(name) if found >= 0 else _behind_marker(data, 0)


def _block(data: bytes, at: int, most: int) -> tuple[bytes, int]:
    """What one block says as far as it can be read, and where the next one begins, -1 where there is none."""
    end = _behind_marker(data, at)
    decompressor, found = zlib.decompressobj(_RAW), bytearray()
    part = data[at : end if end >= 0 else len(data)]
    try:
        for start in range(0, len(part), 64):  # little by little: what comes before the damage is told
            found += decompressor.decompress(part[start : start + 64], most - len(found))
            if decompressor.eof or len(found) >= most:
                break
    except (zlib.error, ValueError):
        pass
    return bytes(found), end


def _behind_marker(data: bytes, at: int) -> int:
    found = data.find(_FLUSHED, at)
    return found + len(_FLUSHED) if found >= 0 else -1
