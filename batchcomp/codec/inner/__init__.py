"""The inner codecs: what holds a compact picture. One module and one line in `INNER` each."""

from __future__ import annotations

from typing import Final, Protocol

from batchcomp.codec.compact import Compact
from batchcomp.codec.inner.avif import Avif
from batchcomp.codec.inner.jpeg import Jpeg
from batchcomp.codec.inner.packed import Packed
from batchcomp.codec.payload import Header
from batchcomp.errors import PayloadError
from batchcomp.images.picture import Metadata, Pixels


class Reader(Protocol):
    """Reads payloads of one format.

    `kind` is the manifest's name for them, `suffix` that of their files.
    """

    kind: str
    suffix: str

    def recognises(self, data: bytes) -> bool:
        """Whether a file is of this format, by its first bytes."""

    def header(self, data: bytes) -> Header:
        """Read the header of a payload. Raises PayloadError: there is none, or it makes no sense."""

    def decode(self, data: bytes, *, expected: tuple[int, int]) -> tuple[Pixels, Metadata]:
        """Return uint8 pixels (h, w, 3 or 1) and metadata; (w, h) must be `expected`. Raises PayloadError: damage."""

    def metadata_bytes(self, data: bytes) -> int:
        """Bytes of a payload that hold metadata."""


class InnerCodec(Reader, Protocol):
    """A still-picture format whose files stand alone: any viewer shows the compact picture, we find our header."""

    def network_quality(self, quality: float) -> float:
        """The quality that the networks are told, where 1..100 is asked for."""

    def encode(self, compact: Compact) -> bytes:
        """Write a payload, which gets finer as the quality rises.

        Raises:
            OSError: the format cannot hold a picture of this size.
        """


INNER: Final[dict[str, InnerCodec]] = {"jpeg": Jpeg(), "avif": Avif()}
DEFAULT: Final = "jpeg"
READERS: Final[tuple[Reader, ...]] = (*INNER.values(), Packed())


def codec_of(data: bytes) -> Reader:
    """What reads a payload, by its content.

    Raises:
        PayloadError: nothing does.
    """
    for codec in READERS:
        if codec.recognises(data):
            return codec
    raise PayloadError("neither JPEG nor AVIF; expected a payload written by batchcomp")
