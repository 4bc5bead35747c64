"""JPEG as inner codec: the default, which every viewer opens."""

from __future__ import annotations

from batchcomp.codec import jpeg, payload
from batchcomp.codec.compact import Compact, Decoded
from batchcomp.codec.inner.base import read_payload
from batchcomp.images.picture import Metadata, Pixels


class Jpeg:
    """Progressive 4:4:4 JPEG with the model's own tables; the header is an APP10 segment."""

    def recognises(self, data: bytes) -> bool:
        """Whether the bytes begin as a JPEG file."""
        return data.startswith(payload.SOI)

    def network_quality(self, quality: float) -> float:
        """See `InnerCodec`: the quality sets the tables, and the networks get it."""
        return quality

    def encode(self, compact: Compact) -> bytes:
        """See `InnerCodec`; the tables are of the quality."""
        data = jpeg.write(compact.bands(), compact.tables, compact.pixels.shape[1::-1], compact.metadata)
        return payload.insert(data, compact.header)

    def read(self, data: bytes, size: tuple[int, int]) -> Decoded:
        """See `Reader`."""
        return read_payload(self, data, size)

    def header(self, data: bytes) -> payload.PayloadHeader:
        """See `InnerCodec`."""
        return payload.parse(data)

    def decode(self, data: bytes, *, expected: tuple[int, int]) -> tuple[Pixels, Metadata]:
        """See `InnerCodec`."""
        return jpeg.decode(data, expected=expected)

    def metadata_bytes(self, data: bytes) -> int:
        """See `InnerCodec`."""
        return payload.metadata_bytes(data)
