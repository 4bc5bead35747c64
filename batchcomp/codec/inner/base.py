"""What reads and writes one kind of stored picture, and the checks that all kinds of compact pictures share."""

from __future__ import annotations

from typing import Protocol

from batchcomp.codec.compact import Compact, Decoded
from batchcomp.codec.payload import PayloadHeader
from batchcomp.errors import PayloadError, PictureError
from batchcomp.images.alpha import channel
from batchcomp.images.picture import Metadata, Picture, Pixels

MAX_PIXELS = 1_000_000_000  # of a payload to decode: a small file can claim a picture that fills the memory


class Reader(Protocol):
    """Reads the entries of one kind, or several, of `kinds.KINDS`."""

    def read(self, data: bytes, size: tuple[int, int]) -> Decoded | Picture:
        """Return an entry's picture, or the compact picture that RecCNN restores it from.

        Args:
            data: the entry.
            size: (width, height) of the picture; checked before any pixel is decoded where the format allows.

        Raises:
            PayloadError: it is damaged, or of another size.
        """
        ...


class PayloadReader(Reader, Protocol):
    """Reads payloads of one format: files with a compact picture and our header."""

    def recognises(self, data: bytes) -> bool:
        """Whether a file is of this format, by its first bytes."""
        ...

    def header(self, data: bytes) -> PayloadHeader:
        """Read the header of a payload. Raises PayloadError: there is none, or it makes no sense."""
        ...

    def decode(self, data: bytes, *, expected: tuple[int, int]) -> tuple[Pixels, Metadata]:
        """Return uint8 pixels (h, w, 3 or 1) and metadata; (w, h) must be `expected`. Raises PayloadError: damage."""
        ...

    def metadata_bytes(self, data: bytes) -> int:
        """Bytes of a payload that hold metadata."""
        ...


class InnerCodec(PayloadReader, Protocol):
    """A still-picture format whose files stand alone: any viewer shows the compact picture, we find our header."""

    def network_quality(self, quality: float) -> float:
        """The quality that the networks get for one of 1..100."""
        ...

    def encode(self, compact: Compact) -> bytes:
        """Write a payload, which gets finer as the quality rises.

        Raises:
            OSError: the format cannot hold a picture of this size.
        """
        ...


def decoded(reader: PayloadReader, data: bytes) -> Decoded:
    """Read a payload.

    Raises:
        PayloadError: it is damaged, or its picture contradicts its header.
    """
    header = reader.header(data)
    if header.width * header.height > MAX_PIXELS:
        size = f"{header.width}x{header.height}"
        raise PayloadError(f"{size} is more than {MAX_PIXELS:,} pixels; the payload may be forged, not decoded")
    pixels, metadata = reader.decode(data, expected=header.compact_size)
    if (pixels.shape[2] == 1) != header.grey:
        raise PayloadError("the payload's picture and its header disagree on colour; use an intact copy")
    return Decoded(pixels=pixels, header=header, metadata=metadata)


def read_payload(reader: PayloadReader, data: bytes, size: tuple[int, int]) -> Decoded:
    """Read an entry that is a payload; see `Reader.read`."""
    header = reader.header(data)
    if (header.width, header.height) != size:
        raise PayloadError("the payload's size is not the manifest's; use an intact copy")
    found = decoded(reader, data)
    check_alpha(found.metadata, size)
    return found


def check_alpha(metadata: Metadata, size: tuple[int, int]) -> None:
    """Raise PayloadError where there is an alpha channel that is damaged or not of `size` (width, height)."""
    if metadata.alpha:
        try:
            channel(metadata.alpha, size)
        except PictureError as error:
            raise PayloadError(str(error)) from error
