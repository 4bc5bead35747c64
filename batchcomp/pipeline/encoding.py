"""One compact picture to the bytes that an archive may hold."""

from __future__ import annotations

from dataclasses import dataclass, replace

from batchcomp.codec import pack, payload
from batchcomp.codec.codec import Codec
from batchcomp.codec.compact import Compact
from batchcomp.codec.inner import inner_codec
from batchcomp.kinds import CODECS
from batchcomp.settings import CompressSettings


@dataclass(frozen=True, kw_only=True)
class Encoded:
    """A payload: `data` as it would be stored, `plain` as the inner codec wrote it (the same where nothing is packed).

    `missed` says by how much it misses the target, "" where it does not.
    """

    kind: str
    data: bytes
    plain: bytes
    metadata_bytes: int
    header: payload.PayloadHeader
    quality: float  # as asked for
    missed: str = ""

    @property
    def image_bytes(self) -> int:
        """Bytes without metadata, which rivals are measured without."""
        return len(self.data) - self.metadata_bytes


def encode_one(compact: Compact, settings: CompressSettings, *, check: bool = True) -> Encoded | None:
    """The payload; None where no file of the inner codec can hold the compact picture (sides beyond its limit).

    Without `check` what is packed is not unpacked again at once: `confirmed` must do it before it is stored.
    """
    inner = inner_codec(settings.codec)
    try:
        plain = Codec.encode(compact, settings.codec)
    except OSError:
        return None
    packed = pack.pack(plain, compact.coefficients, compact.tables, check=check) if settings.pack else None
    return Encoded(
        kind="packed" if packed else CODECS[settings.codec],
        data=packed or plain,
        plain=plain,
        metadata_bytes=min(inner.metadata_bytes(plain), len(packed or plain)),
        header=compact.header,
        quality=payload.as_number(compact.quality),
    )


def confirmed(made: Encoded) -> Encoded:
    """What was packed, if it unpacks to the very bytes; else the plain payload."""
    if made.kind != "packed" or pack.unpack(made.data) == made.plain:
        return made
    return replace(made, kind=CODECS["jpeg"], data=made.plain)
