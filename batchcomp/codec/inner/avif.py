"""AVIF as inner codec: fewer bytes than JPEG for the same compact picture; newer viewers open it.

A payload is a standard AVIF file (ISO/IEC 23000-22) and one or two `uuid` boxes at its end (ISO/IEC 14496-12, 11.1),
which other readers skip: our header, and what of the metadata AVIF itself does not give back byte for byte.
"""

from __future__ import annotations

import io
import math
import struct
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
from PIL import AvifImagePlugin, Image

from batchcomp.codec import jpeg, payload
from batchcomp.codec.compact import Compact, Decoded
from batchcomp.codec.inner.base import read_payload
from batchcomp.errors import PayloadError
from batchcomp.images.picture import Metadata, Pixels
from batchcomp.images.pillow_warnings import ignore_pillow_warnings

FINEST, COARSEST = 94.0, 89.0  # network qualities
SPEED = 6  # libaom's 0 (slow) to 10
MAX_SIDE, MAX_PIXELS = 32_768, 2**28  # what libavif decodes
HEADER_BOX = uuid.UUID("5f1bb4ce-9a70-4d0e-8b6f-62636d700001").bytes
METADATA_BOX = uuid.UUID("5f1bb4ce-9a70-4d0e-8b6f-62636d700002").bytes


def level_of(quality: float) -> tuple[int, float]:
    """AV1's quantiser level, 0 (coarse) to 63, for a quality of ours, and how far it is on to the next, 0 to 1.

    A straight line, so that a quality gives about the MS-SSIM that it gives with JPEG inside.
    """
    position = min(62.99, 22.7 + 0.39 * quality)
    return math.floor(position), position % 1


class Avif:
    """4:4:4 or 4:0:0 AVIF, 8 bits, through Pillow. The model's quantisation tables are of no use here.

    Measured on held-out photos, nets at a fine network quality restore it best at all rates (docs/models.md). How
    fine bridges most of the gap between two of the 64 levels, 7 % of the bytes: the finer, the fewer bytes.
    """

    def network_quality(self, quality: float) -> float:
        """See `InnerCodec`."""
        _, share = level_of(quality)
        return FINEST - (FINEST - COARSEST) * share

    def recognises(self, data: bytes) -> bool:
        """Whether the bytes begin as an AVIF file."""
        return data[4:12] == b"ftypavif"

    def encode(self, compact: Compact) -> bytes:
        """See `InnerCodec`."""
        height, width = compact.pixels.shape[:2]
        if max(height, width) > MAX_SIDE or height * width > MAX_PIXELS:
            raise OSError(f"{width}x{height} is more than AVIF decoders take")
        data = _save(compact.pixels, round(level_of(compact.quality)[0] * 100 / 63), compact.metadata)
        further = _front(_beyond(data, compact.metadata))
        boxes = (HEADER_BOX, payload.content_of(compact.header)), (METADATA_BOX, further)
        return data + b"".join(_uuid_box(key, content) for key, content in boxes if content)

    def read(self, data: bytes, size: tuple[int, int]) -> Decoded:
        """See `Reader`."""
        return read_payload(self, data, size)

    def header(self, data: bytes) -> payload.PayloadHeader:
        """See `InnerCodec`."""
        content = _contents(data).get(HEADER_BOX)
        if content is None or not content.startswith(payload.IDENTIFIER):
            raise PayloadError("a plain AVIF without batchcomp's box; open it with any viewer")
        return payload.header_of(content)

    def decode(self, data: bytes, *, expected: tuple[int, int]) -> tuple[Pixels, Metadata]:
        """See `InnerCodec`."""
        if not AvifImagePlugin.SUPPORTED:
            raise PayloadError("an AVIF, which this build of PIL lacks; install pillow")
        further = _contents(data).get(METADATA_BOX, b"")
        grey = self.header(data).grey
        try:
            with _opened(data) as image:
                if image.size != expected:
                    raise PayloadError(f"the AVIF is {image.size}, its header says {expected}; use an intact copy")
                pixels, metadata = np.array(image.convert("RGB")), _metadata_of(image.info)
        except (OSError, SyntaxError, ValueError, RuntimeError, struct.error, EOFError, MemoryError) as error:
            raise PayloadError(f"the payload's AVIF is damaged ({error}); use an intact copy") from error
        return (pixels[:, :, :1].copy() if grey else pixels), _joined(metadata, further)

    def metadata_bytes(self, data: bytes) -> int:
        """See `InnerCodec`; box headers inside AVIF's own metadata are not counted."""
        with _opened(data) as image:
            own = _metadata_of(image.info).size
        further = _contents(data).get(METADATA_BOX, b"")
        return own + (len(_uuid_box(METADATA_BOX, further)) if further else 0)


def _save(pixels: Pixels, quality: int, metadata: Metadata) -> bytes:
    """The AVIF file, with as much of the metadata as AVIF and Pillow take."""
    grey = pixels.shape[2] == 1
    image = Image.fromarray(pixels[:, :, 0] if grey else pixels)
    options: dict[str, Any] = {"icc_profile": metadata.icc, "xmp": metadata.xmp, "exif": _tiff(metadata.exif)}
    buffer = io.BytesIO()
    image.save(
        buffer,
        "AVIF",
        quality=quality,
        speed=SPEED,
        subsampling="4:0:0" if grey else "4:4:4",
        max_threads=1,  # pictures run in parallel
        **{name: value for name, value in options.items() if value},
    )
    return buffer.getvalue()


def _tiff(exif: bytes) -> bytes:
    """EXIF as Pillow takes it; none where Pillow cannot read it: then it travels in our own box."""
    try:
        with ignore_pillow_warnings():
            tags = Image.Exif()
            tags.load(exif)
            whole = len(dict(tags)) > 0  # read on demand
    except (SyntaxError, ValueError, struct.error, KeyError, IndexError, TypeError, OSError):
        return b""
    return exif if whole else b""


@contextmanager
def _opened(data: bytes) -> Iterator[Image.Image]:
    """The class itself, not `Image.open`; its warnings about odd metadata are of no use here."""
    with ignore_pillow_warnings(), AvifImagePlugin.AvifImageFile(io.BytesIO(data), "") as image:
        yield image


def _metadata_of(info: dict[str | tuple[int, int], Any]) -> Metadata:
    return Metadata(
        exif=bytes(info.get("exif", b"")).removeprefix(b"Exif\0\0"),
        icc=bytes(info.get("icc_profile") or b""),
        xmp=bytes(info.get("xmp") or b""),
    )


def _beyond(data: bytes, metadata: Metadata) -> Metadata:
    """What of the metadata the file does not give back as it was."""
    with _opened(data) as image:
        found = _metadata_of(image.info)
    return replace(
        metadata,
        exif=b"" if found.exif == metadata.exif else metadata.exif,
        icc=b"" if found.icc == metadata.icc else metadata.icc,
        xmp=b"" if found.xmp == metadata.xmp else metadata.xmp,
    )


def _joined(found: Metadata, further: bytes) -> Metadata:
    """What `_beyond` took apart."""
    if not further:
        return found
    own = jpeg.decode(further + _front_less())[1]
    return replace(own, exif=own.exif or found.exif, icc=own.icc or found.icc, xmp=own.xmp or found.xmp)


def _front(metadata: Metadata) -> bytes:
    """Metadata as the segments that a JPEG file begins with, SOI included; b"" where there is none."""
    found = jpeg.front(metadata)
    return payload.SOI + found if found else b""


def _front_less() -> bytes:
    """The rest of a JPEG file whose front is a `_front`."""
    return jpeg.encode(np.zeros((1, 1, 1), np.uint8), np.ones((2, 8, 8), np.int64))[len(payload.SOI) :]


def _uuid_box(key: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s16s", 24 + len(content), b"uuid", key) + content


def _contents(data: bytes) -> dict[bytes, bytes]:
    """The content of each `uuid` box at the top level."""
    return {data[at + 8 : at + 24]: data[at + 24 : end] for kind, at, end in _boxes(data) if kind == b"uuid"}


def _boxes(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield (type, start, end) of the boxes at the top level.

    Raises:
        PayloadError: a box overruns the file.
    """
    at = 0
    while at < len(data):
        size, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        if size < 8 or at + size > len(data):
            raise PayloadError(f"the box at byte {at} overruns the file; the payload is damaged, use an intact copy")
        yield kind, at, at + size
        at += size
