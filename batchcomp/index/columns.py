"""A manifest's row as columns of the index, and back."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

from batchcomp.archive import JpegComparison, Row
from batchcomp.index.families import row_family
from batchcomp.index.schema import BrokenIndexError, seal_of, segment_of
from batchcomp.kinds import KINDS

MANNER: Final = ("stored", "reason", "mode", "model", "scale", "quality", "recipe", "engine")
DAMAGED: Final = 0  # the manner of a row that breaks the rules

_SEALED: Final = (  # what a row's seal is over
    *("id", "path", "family", "manner", "entry", "owner_segment", "source_bytes", "mtime_s", "mtime_rest"),
    *("permissions", "source_sha256", "payload_bytes", "payload_sha256", "metadata_bytes", "unpacked_bytes"),
    *("width", "height", "ms_ssim", "ssimulacra2", "jpeg_quality", "jpeg_bytes", "jpeg_ms_ssim", "jpeg_equal"),
    *("jpeg_within", "seconds", "pixels_sha256"),
)
_COUNT: Final = len(_SEALED)
_MANNER_AT: Final = _COUNT + 2

# What `row_from` and `sealed` take.
PICTURE: Final = ", ".join(f"p.{name}" for name in (*_SEALED, "next", "seal"))
ROW: Final = f"{PICTURE}, {', '.join(f'm.{name}' for name in (*MANNER, 'seal'))}"
EVERY: Final = "picture AS p LEFT JOIN manner AS m ON m.id = p.manner"  # damaged rows too
INSERT: Final = f"INSERT INTO picture ({', '.join((*_SEALED, 'seal'))}) VALUES ({', '.join('?' * (_COUNT + 1))})"


def select(columns: str, condition: str) -> str:
    """Return the query for columns of the rows that fit a condition and are not damaged.

    It is no inner join: a manner that is lost has to be missed.
    """
    return f"SELECT {columns} FROM {EVERY} WHERE p.manner != {DAMAGED} AND ({condition})"


def columns_of(row: Row, picture_id: int, manner: int) -> tuple[Any, ...]:
    """Return what `INSERT` takes; the entry's name is left out where it follows from the path."""
    entry = None if row.entry == row.natural_entry and not row.owner_segment else row.entry
    seconds, rest = divmod(row.mtime_ns, 10**9)
    jpeg = row.jpeg
    values = (
        *(picture_id, row.path, row_family(row.path), manner, entry, row.owner_segment, row.source_bytes),
        *(seconds, rest, row.permissions, bytes.fromhex(row.source_sha256), row.payload_bytes),
        *(bytes.fromhex(row.payload_sha256), row.metadata_bytes, row.unpacked_bytes, row.width, row.height),
        *(row.ms_ssim, row.ssimulacra2),
        *((jpeg.quality, jpeg.bytes, jpeg.ms_ssim, jpeg.bytes_at_ms_ssim, jpeg.within_db) if jpeg else (None,) * 5),
        *(row.seconds, bytes.fromhex(row.pixels_sha256) or None),
    )
    return (*values, seal_of(values))


def damaged_columns(path: str, picture_id: int) -> tuple[Any, ...]:
    """Return what `INSERT` takes of a row that breaks the rules: it supersedes those before it, and no more."""
    known = (picture_id, path, row_family(path), DAMAGED)
    values = (*known, *(None,) * (_COUNT - len(known)))
    return (*values, seal_of(values))


def manner_of(row: Row) -> tuple[Any, ...]:
    """Return how a row's picture is stored, the values of `MANNER`."""
    return (row.stored, row.reason, row.mode, row.model, row.scale, row.quality, row.recipe, row.engine)


def sealed(record: Sequence[Any]) -> Sequence[Any]:
    """Return a record that begins with the columns `PICTURE`, after holding it against its seal.

    Raises:
        BrokenIndexError: it is not what was put there.
    """
    try:
        is_sound = record[_COUNT + 1] == seal_of(record[:_COUNT]) + (record[_COUNT] or 0)
    except TypeError:
        is_sound = False
    if not is_sound:
        raise BrokenIndexError(f"row {record[0]} of the index is not what was put there")
    return record


@lru_cache(maxsize=4096)
def manner_from(*record: Any) -> tuple[Any, ...]:
    """Return the values of `MANNER`, given number, values and seal.

    Raises:
        BrokenIndexError: they are not what was put there.
    """
    if seal_of(record[:-1]) != record[-1]:
        raise BrokenIndexError(f"manner {record[0]} of the index is not what was put there")
    return record[1:-1]


def is_damaged(record: Sequence[Any]) -> bool:
    """Tell whether a record stands for a row that breaks the rules."""
    return bool(record[3] == DAMAGED)


def row_from(record: Sequence[Any]) -> Row:
    """Return the row that the columns `ROW` hold.

    Raises:
        BrokenIndexError: they do not.
    """
    sealed(record)
    stored, reason, mode, model, scale, quality, recipe, engine = manner_from(record[3], *record[_MANNER_AT:])
    path, entry = record[1], record[4]
    if entry is None:
        entry = path + (KINDS[stored].suffix if stored in KINDS else "")
    return Row(
        path=path,
        stored=stored,
        source_bytes=record[6],
        mtime_ns=record[7] * 10**9 + record[8],
        permissions=record[9],
        source_sha256=record[10].hex(),
        width=record[15],
        height=record[16],
        mode=mode,
        entry=entry,
        reason=reason,
        payload_bytes=record[11],
        payload_sha256=record[12].hex(),
        metadata_bytes=record[13],
        model=model,
        scale=scale,
        quality=quality,
        ms_ssim=record[17],
        jpeg=None if record[19] is None else _comparison(record[19:24]),
        seconds=record[24],
        recipe=recipe,
        unpacked_bytes=record[14],
        pixels_sha256=record[25].hex() if record[25] else "",
        engine=engine,
        ssimulacra2=record[18],
        owner_segment=record[5],
        segment=segment_of(record[0]),
    )


def _comparison(jpeg: Sequence[Any]) -> JpegComparison:
    quality, size, ms_ssim, equal, within = jpeg
    return JpegComparison(quality=quality, bytes=size, ms_ssim=ms_ssim, bytes_at_ms_ssim=equal, within_db=within)
