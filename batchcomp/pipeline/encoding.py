"""One compact picture to the bytes that an archive may hold."""

from __future__ import annotations

from dataclasses import replace

from batchcomp.codec import pack, payload
from batchcomp.codec.codec import Codec
from batchcomp.codec.compact import Compact
from batchcomp.codec.inner import inner_codec
from batchcomp.kinds import CODECS
from batchcomp.pipeline.job import Encoded
from batchcomp.settings import CompressSettings


def encode(compact: Compact, settings: CompressSettings, *, check: bool = True) -> Encoded | None:
    """The payload; None where no file of the inner codec can hold the compact picture (sides beyond its limit).

    Without `check` what is packed is not unpacked again at once: `confirmed` must do it before it is stored.
    """
    inner = inner_codec(settings.codec)
    found = compact.coefficients if settings.pack else None  # of all, for the packer; else a band at a time
    try:
        plain = Codec.encode(compact, settings.codec)
    except OSError:
        return None
    packed = None if found is None else pack.pack(plain, found, compact.tables, check=check)
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
