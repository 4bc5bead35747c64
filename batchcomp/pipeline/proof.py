"""Proof that restored pixels are those that were seen when the picture was archived."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from typing import Final

import numpy as np

from batchcomp.archive.rows import Row
from batchcomp.codec.codec import Codec
from batchcomp.codec.identity import jpeg_decoder
from batchcomp.images.picture import Picture, Pixels
from batchcomp.kinds import KINDS
from batchcomp.pipeline.entries import Entry
from batchcomp.pipeline.records import Done, Event, Failed

PROVED: Final = "proved"
UNKNOWN: Final = "not recorded"
DIFFERENT: Final = "different"
_STRIP_BYTES: Final = 16 << 20  # of pixels at once: a copy of all would be as large as the picture
DIGITS: Final = 32  # of the hash: 128 bits are beyond chance, and a row is 32 bytes shorter


def digest(pixels: Pixels) -> str:
    """Return the first half of the SHA-256 of uint8 samples (H, W, C), row by row, colours of a pixel together."""
    found, strip = sha256(), max(1, _STRIP_BYTES // max(1, pixels[:1].nbytes))
    for top in range(0, len(pixels), strip):
        found.update(np.ascontiguousarray(pixels[top : top + strip]).data)
    return found.hexdigest()[:DIGITS]


def proof(entry: Entry, picture: Picture | None, codec: Codec) -> Event:
    """Hold a restored picture against what its row says of its pixels.

    Pixels that differ are a failure where the same engine made them, or where every engine should; another engine may
    round single samples the other way, so that then they are only told of. On a GPU the same is true of one engine.
    """
    row = entry.row
    if picture is None:  # the bytes were compared with their SHA-256
        return Done(name=row.path, row=row, pixels=PROVED)
    if not row.pixels_sha256:
        return Done(name=row.path, row=row, pixels=UNKNOWN)
    if digest(picture.pixels) == row.pixels_sha256:
        return Done(name=row.path, row=row, pixels=PROVED)
    now = _engine(entry, codec)
    if not now or (now == row.engine and codec.device.type == "cpu"):
        reason = f"{row.path}: the pixels differ from those recorded, with the same engine ({now or row.stored}); "
        advice = "check the memory of this machine, or restore it on another one"
        return Failed(name=row.path, reason=reason + advice, pixels=True)
    note = f"{row.path}: the pixels differ from those recorded ({row.engine} then, {now} now)"
    return Done(name=row.path, row=row, pixels=DIFFERENT, note=note)


def with_pixels(row: Row, pixels: Pixels) -> Row:
    """Return the row of a lossless file or plain JPEG with what it says of its pixels."""
    return replace(row, pixels_sha256=digest(pixels), engine="" if KINDS[row.stored].exact else jpeg_decoder())


def _engine(entry: Entry, codec: Codec) -> str:
    if entry.decoded is not None:
        return codec.engine_of(entry.decoded.header, entry.row.stored)
    return "" if KINDS[entry.row.stored].exact else jpeg_decoder()
