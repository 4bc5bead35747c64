"""Packed JPEG payloads: read like those of an inner codec, written by `codec.pack` from a JPEG."""

from __future__ import annotations

from batchcomp.codec import jpeg, pack, payload
from batchcomp.codec.compact import Decoded
from batchcomp.codec.inner.base import read_payload
from batchcomp.images.picture import Metadata, Pixels


class Packed:
    """A `PayloadReader`."""

    def recognises(self, data: bytes) -> bool:
        """Whether the bytes begin as a packed payload."""
        return pack.is_packed(data)

    def read(self, data: bytes, size: tuple[int, int]) -> Decoded:
        """See `Reader`."""
        return read_payload(self, data, size)

    def header(self, data: bytes) -> payload.PayloadHeader:
        """See `InnerCodec`."""
        return pack.header_of(data)

    def decode(self, data: bytes, *, expected: tuple[int, int]) -> tuple[Pixels, Metadata]:
        """See `InnerCodec`."""
        return jpeg.decode(pack.picture_of(data), expected=expected)

    def metadata_bytes(self, data: bytes) -> int:
        """See `InnerCodec`; as in the JPEG, though they may be stored deflated."""
        return payload.metadata_bytes(payload.SOI + pack.front_of(data) + payload.EMPTY_SCAN)
