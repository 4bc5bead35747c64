"""A manifest's row as columns of the index, and back."""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from typing import Any, Final

from batchcomp.archive import JpegComparison, Row
from batchcomp.archive.names import clash_key
from batchcomp.escapes import real_path
from batchcomp.index.schema import BrokenIndexError, segment_of
from batchcomp.kinds import KINDS

PICTURE_COLUMNS: Final = 27
MANNER: Final = ("stored", "reason", "mode", "model", "scale", "quality", "recipe", "engine")
DAMAGED: Final = 0  # the manner of a row that breaks the rules
_STEM: Final = 40  # letters of a name that count; where names are cut is far behind
_END_OF_STEM: Final = re.compile("[.~]")

# What `row_from` takes; a row that is damaged has no manner and so is not found.
ROW: Final = (
    "p.id, p.path, p.entry, p.owner_segment, p.source_bytes, p.mtime_s, p.mtime_rest, p.permissions, p.source_sha256, "
    "p.payload_bytes, p.payload_sha256, p.metadata_bytes, p.unpacked_bytes, p.width, p.height, p.ms_ssim, "
    "p.ssimulacra2, p.jpeg_quality, p.jpeg_bytes, p.jpeg_ms_ssim, p.jpeg_equal, p.jpeg_within, p.seconds, "
    "p.pixels_sha256, m.stored, m.reason, m.mode, m.model, m.scale, m.quality, m.recipe, m.engine"
)
FROM: Final = "picture AS p JOIN manner AS m ON m.id = p.manner"
INSERT: Final = f"INSERT INTO picture VALUES ({', '.join('?' * PICTURE_COLUMNS)})"


def columns_of(row: Row, picture_id: int, manner: int) -> tuple[Any, ...]:
    """Return what `INSERT` takes; the entry's name is left out where it follows from the path."""
    entry = None if row.entry == row.natural_entry and not row.owner_segment else row.entry
    seconds, rest = divmod(row.mtime_ns, 10**9)
    jpeg = row.jpeg
    return (
        *(picture_id, row.path, None, family_of(row.path), manner, entry, row.owner_segment, row.source_bytes),
        *(seconds, rest, row.permissions, bytes.fromhex(row.source_sha256), row.payload_bytes),
        *(bytes.fromhex(row.payload_sha256), row.metadata_bytes, row.unpacked_bytes, row.width, row.height),
        *(row.ms_ssim, row.ssimulacra2),
        *((jpeg.quality, jpeg.bytes, jpeg.ms_ssim, jpeg.bytes_at_ms_ssim, jpeg.within_db) if jpeg else (None,) * 5),
        *(row.seconds, bytes.fromhex(row.pixels_sha256) or None),
    )


def damaged_columns(path: str, picture_id: int) -> tuple[Any, ...]:
    """Return what `INSERT` takes of a row that breaks the rules: it supersedes those before it, and no more."""
    known = (picture_id, path, None, family_of(path), DAMAGED)
    return (*known, *(None,) * (PICTURE_COLUMNS - len(known)))


def manner_of(row: Row) -> tuple[Any, ...]:
    """Return how a row's picture is stored, the values of `MANNER`."""
    return (row.stored, row.reason, row.mode, row.model, row.scale, row.quality, row.recipe, row.engine)


def row_from(record: Sequence[Any]) -> Row:
    """Return the row that the columns `ROW` hold.

    Raises:
        BrokenIndexError: they do not.
    """
    try:
        path, entry, stored, owner = record[1], record[2], record[24], record[3]
        if entry is None:
            entry = path + (KINDS[stored].suffix if stored in KINDS else "")
        jpeg = record[17:22]
        return Row(
            path=path,
            stored=stored,
            source_bytes=record[4],
            mtime_ns=record[5] * 10**9 + record[6],
            permissions=record[7],
            source_sha256=record[8].hex(),
            width=record[13],
            height=record[14],
            mode=record[26],
            entry=entry,
            reason=record[25],
            payload_bytes=record[9],
            payload_sha256=record[10].hex(),
            metadata_bytes=record[11],
            model=record[27],
            scale=record[28],
            quality=record[29],
            ms_ssim=record[15],
            jpeg=None if jpeg[0] is None else _comparison(jpeg),
            seconds=record[22],
            recipe=record[30],
            unpacked_bytes=record[12],
            pixels_sha256=record[23].hex() if record[23] else "",
            engine=record[31],
            ssimulacra2=record[16],
            owner_segment=owner,
            segment=segment_of(record[0]),
        )
    except (TypeError, ValueError, AttributeError) as error:
        raise BrokenIndexError(f"the index holds no row: {error}") from error


def _comparison(jpeg: Sequence[Any]) -> JpegComparison:
    quality, size, ms_ssim, equal, within = jpeg
    return JpegComparison(quality=quality, bytes=size, ms_ssim=ms_ssim, bytes_at_ms_ssim=equal, within_db=within)


def family_of(path: str) -> int:
    """Return a number that is the same for all paths that `decode` might restore under each other's names.

    That is so for names in one folder that are alike up to the first dot or tilde, to a disk that ignores case and how
    accents are written. Others may have it too, by chance.
    """
    folder, _, name = clash_key(real_path(path)).rpartition("/")
    stem = _END_OF_STEM.split(name, 1)[0][:_STEM]
    return (_checksum(folder) << 32 | _checksum(stem)) - 2**63


def _checksum(text: str) -> int:
    return zlib.crc32(text.encode("utf-8", "surrogatepass"))
