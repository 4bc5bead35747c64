"""How a JPEG file carries what JPEG itself has no place for: alpha, PNG texts, further segments, trailing bytes.

Comments and application segments stand in the file as they are. The rest goes into APP10 segments, each an identifier
of five bytes and a piece of at most `PIECE` bytes; pieces of one identifier are joined in their order (docs/format.md).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from batchcomp.images.jpeg_segments import APP0, APP10, APP15, MAX_CONTENT, PAYLOAD, further_segments, segments
from batchcomp.images.picture import Metadata

ALPHA, CHUNKS, TRAILER = b"bcal\0", b"bcpn\0", b"bctr\0"
PIECE: Final = MAX_CONTENT - len(ALPHA)
_CHUNK: Final = struct.Struct(">I4s")


def to_segments(metadata: Metadata) -> bytes:
    """Return the JPEG segments that carry segments, PNG chunks, trailer and alpha of `metadata`; b"" if it has none."""
    chunks = b"".join(_CHUNK.pack(len(content), kind) + content for kind, content in metadata.chunks)
    found = [*metadata.segments]
    for identifier, content in ((CHUNKS, chunks), (TRAILER, metadata.trailer), (ALPHA, metadata.alpha)):
        starts = range(0, len(content), PIECE)
        found += [(APP10, identifier + content[start : start + PIECE]) for start in starts]
    return join_segments(found)


def join_segments(pairs: Iterable[tuple[int, bytes]]) -> bytes:
    """Return (marker, content) pairs as they stand in a JPEG file."""
    return b"".join(struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content for marker, content in pairs)


def insert(data: bytes, metadata: Metadata) -> bytes:
    """Return the sound JPEG file `data` with the segments of `to_segments` behind the APPn segments it begins with."""
    extra = to_segments(metadata)
    if not extra:
        return data
    at = next(segment.start for segment in segments(data) if not APP0 <= segment.marker <= APP15)
    return data[:at] + extra + data[at:]


def from_segments(data: bytes, metadata: Metadata) -> Metadata:
    """Return `metadata` and what `insert` has put into the JPEG file `data`.

    Raises:
        ValueError: the PNG chunks in it are damaged.
    """
    pieces: dict[bytes, list[bytes]] = {ALPHA: [], CHUNKS: [], TRAILER: []}
    others = []
    for marker, content in _without_header(data):
        if marker == APP10 and content[:5] in pieces:
            pieces[content[:5]].append(content[5:])
        else:
            others.append((marker, content))
    joined = {identifier: b"".join(parts) for identifier, parts in pieces.items()}
    return replace(
        metadata,
        segments=tuple(others),
        chunks=_split(joined[CHUNKS]),
        trailer=joined[TRAILER],
        alpha=joined[ALPHA],
    )


def size_of_segments(data: bytes) -> int:
    """Return the bytes that the segments of `to_segments` take in a JPEG file."""
    return sum(len(content) + 4 for _, content in _without_header(data))


def _without_header(data: bytes) -> list[tuple[int, bytes]]:
    """Return the further segments, but for the header of a payload of ours."""
    return [
        (marker, content)
        for marker, content in further_segments(data)
        if marker != APP10 or not content.startswith(PAYLOAD)
    ]


def _split(data: bytes) -> tuple[tuple[bytes, bytes], ...]:
    """Return the (type, content) pairs that `to_segments` joined."""
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
