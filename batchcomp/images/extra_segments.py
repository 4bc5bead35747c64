"""How a JPEG file carries what JPEG itself has no place for: alpha, PNG texts, further segments, trailing bytes.

Comments and application segments stand in the file as they are. The rest goes into APP10 segments, each an identifier
of five bytes and a piece of at most `PIECE` bytes; pieces of one identifier are joined in their order (docs/format.md).
"""

from __future__ import annotations

import struct
from dataclasses import replace

from batchcomp.images.picture import Metadata
from batchcomp.images.segments import APP0, APP10, APP15, OURS, SEGMENT_MAX, further_segments

ALPHA, CHUNKS, TRAILER = b"bcal\0", b"bcpn\0", b"bctr\0"
PIECE = SEGMENT_MAX - len(ALPHA)
_CHUNK = struct.Struct(">I4s")


def pack(metadata: Metadata) -> bytes:
    """Return the JPEG segments that carry segments, PNG chunks, trailer and alpha of `metadata`; b"" if it has none."""
    chunks = b"".join(_CHUNK.pack(len(content), kind) + content for kind, content in metadata.chunks)
    segments = [*metadata.segments]
    for identifier, content in ((CHUNKS, chunks), (TRAILER, metadata.trailer), (ALPHA, metadata.alpha)):
        starts = range(0, len(content), PIECE)
        segments += [(APP10, identifier + content[start : start + PIECE]) for start in starts]
    return join_segments(segments)


def join_segments(segments: list[tuple[int, bytes]] | tuple[tuple[int, bytes], ...]) -> bytes:
    """Return (marker, content) pairs as they stand in a JPEG file."""
    return b"".join(struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content for marker, content in segments)


def insert(data: bytes, metadata: Metadata) -> bytes:
    """Return the sound JPEG file `data` with the segments of `pack` behind those that it begins with."""
    packed = pack(metadata)
    if not packed:
        return data
    at = 2
    while APP0 <= data[at + 1] <= APP15:
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return data[:at] + packed + data[at:]


def unpack(data: bytes, metadata: Metadata) -> Metadata:
    """Return `metadata` and what `pack` has put into the JPEG file `data`.

    Raises:
        ValueError: the PNG chunks in it are damaged.
    """
    pieces: dict[bytes, list[bytes]] = {ALPHA: [], CHUNKS: [], TRAILER: []}
    segments = []
    for marker, content in further_segments(data):
        if marker == APP10 and content[:5] in pieces:
            pieces[content[:5]].append(content[5:])
        elif marker != APP10 or not content.startswith(OURS):
            segments.append((marker, content))
    joined = {identifier: b"".join(parts) for identifier, parts in pieces.items()}
    return replace(
        metadata,
        segments=tuple(segments),
        chunks=_split(joined[CHUNKS]),
        trailer=joined[TRAILER],
        alpha=joined[ALPHA],
    )


def packed_size(data: bytes) -> int:
    """Return the bytes that the segments of `pack` take in a JPEG file."""
    return sum(
        len(content) + 4
        for marker, content in further_segments(data)
        if marker != APP10 or not content.startswith(OURS)
    )


def _split(data: bytes) -> tuple[tuple[bytes, bytes], ...]:
    """Return the (type, content) pairs that `pack` joined."""
    chunks, at = [], 0
    while at < len(data):
        if at + _CHUNK.size > len(data):
            raise ValueError("its PNG chunks are cut off")
        length, kind = _CHUNK.unpack_from(data, at)
        at += _CHUNK.size + length
        if at > len(data) or not kind.isalpha():
            raise ValueError("its PNG chunks are cut off")
        chunks.append((kind, data[at - length : at]))
    return tuple(chunks)
