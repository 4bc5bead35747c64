"""Repairs an archive with the codec's knowledge of payloads."""

from __future__ import annotations

import io
from contextlib import suppress
from typing import Any

from PIL import Image

from batchcomp.archive import ArchiveReader, RepairReport, repair
from batchcomp.codec.inner import codec_of
from batchcomp.codec.payload import MODEL_BYTES
from batchcomp.errors import ArchiveError
from batchcomp.images.pillow_warnings import ignore_pillow_warnings
from batchcomp.kinds import COMPACT
from batchcomp.places import Place
from batchcomp.settings import DEFAULT_LIMITS


def repair_archive(folder: Place, *, dry_run: bool = False, lock_wait: float = 0) -> RepairReport:
    """Save every intact picture of damaged segments; see `batchcomp.archive.repair`.

    Raises:
        ArchiveError: as there.
    """
    return repair(folder, Describer(folder), dry_run=dry_run, lock_wait=lock_wait)


class Describer:
    """Tells from a payload what a lost row said of it. Measurements are not to be had."""

    def __init__(self, folder: Place) -> None:
        self._models: dict[bytes, str] = {}  # by the first bytes of the hash, which are all that a payload has
        with suppress(ArchiveError):
            for row in ArchiveReader.open(folder).all_rows():
                self._models[bytes.fromhex(row.model)[:MODEL_BYTES]] = row.model

    def __call__(self, kind: str, payload: bytes) -> dict[str, Any]:
        """Return the fields of a row that a payload of this kind tells.

        Raises:
            PayloadError: a compact payload has no readable header; it could not be decoded either.
        """
        if kind not in COMPACT:
            return _picture_fields(payload, kind)
        codec = codec_of(payload)
        header = codec.header(payload)
        return {
            "width": header.width,
            "height": header.height,
            "mode": "L" if header.grey else "RGB",
            "model": self._models.get(header.model, ""),
            "scale": header.scale,
            "quality": header.quality,
            "metadata_bytes": codec.metadata_bytes(payload),
        }


def _picture_fields(payload: bytes, kind: str) -> dict[str, Any]:
    """Return the size of a picture that is stored as such, zeros where that cannot be told."""
    size, mode = (0, 0), ""
    with suppress(Exception), ignore_pillow_warnings(), Image.open(io.BytesIO(payload)) as opened:  # as Pillow raises
        size, mode = opened.size, opened.mode
    if max(size) > DEFAULT_LIMITS.max_side:
        size, mode = (0, 0), ""
    return {"width": size[0], "height": size[1], "mode": mode, "scale": int(kind != "verbatim")}
