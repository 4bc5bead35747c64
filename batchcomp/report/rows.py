"""From manifest rows to what a report shows of each picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any

from batchcomp.archive import Row


@dataclass(frozen=True, kw_only=True)
class ReportRow:
    """One picture; None means not measured, or not to be had.

    Bytes are those on disk. `jpeg_ms_ssim` is that of plain JPEG at the same bytes, `jpeg_bytes` what plain JPEG takes
    for the same MS-SSIM, both with the same metadata aboard; where they are estimated, `jpeg_within_db` is by how many
    dB of MS-SSIM they may be off along JPEG's curve. `saved` compares with the source, `saved_vs_jpeg` with
    `jpeg_bytes`; both are fractions. `won` says whether MS-SSIM is above that of plain JPEG at the same bytes.
    """

    path: str
    stored: str
    reason: str
    width: int
    height: int
    quality: float
    source_bytes: int
    archived_bytes: int
    unpacked_bytes: int | None  # of the JPEG that was packed
    bpp: float | None
    ms_ssim: float | None
    ssimulacra2: float | None
    jpeg_ms_ssim: float | None
    jpeg_bytes: int | None
    jpeg_within_db: float | None
    saved: float
    saved_vs_jpeg: float | None
    won: bool | None


def report_row(row: Row) -> ReportRow:
    """What the report says of one manifest row."""
    pixels = row.width * row.height
    jpeg = row.jpeg
    # The row's JPEG figures are without metadata; a plain JPEG file would carry it just as the payload does.
    at_equal = jpeg.bytes_at_ms_ssim + row.metadata_bytes if jpeg and jpeg.bytes_at_ms_ssim else None
    return ReportRow(
        path=row.path,
        stored=row.stored,
        reason=row.reason,
        width=row.width,
        height=row.height,
        quality=row.quality,
        source_bytes=row.source_bytes,
        archived_bytes=row.payload_bytes,
        unpacked_bytes=row.unpacked_bytes or None,
        bpp=row.payload_bytes * 8 / pixels if pixels else None,
        ms_ssim=row.ms_ssim,
        ssimulacra2=row.ssimulacra2,
        jpeg_ms_ssim=jpeg.ms_ssim if jpeg else None,
        jpeg_bytes=at_equal,
        jpeg_within_db=jpeg.within_db or None if jpeg else None,
        saved=1 - row.payload_bytes / row.source_bytes if row.source_bytes else 0.0,
        saved_vs_jpeg=1 - row.payload_bytes / at_equal if at_equal else None,
        won=_won(row),
    )


def _won(row: Row) -> bool | None:
    """More MS-SSIM than plain JPEG of the same bytes; where JPEG cannot be that small, than its smallest file."""
    if row.jpeg is None or row.ms_ssim is None:
        return None
    if row.stored == "jpeg":
        return False  # a plain JPEG is as good as a plain JPEG
    image_bytes = row.payload_bytes - row.metadata_bytes
    return row.ms_ssim > row.jpeg.ms_ssim or (row.ms_ssim == row.jpeg.ms_ssim and image_bytes < row.jpeg.bytes)


_NAMES = tuple(field.name for field in fields(ReportRow))
_values = attrgetter(*_NAMES)


def values_of(row: ReportRow) -> dict[str, Any]:
    """A report's row as plain values, for JSON and CSV: `dataclasses.asdict` takes ten times as long."""
    return dict(zip(_NAMES, _values(row), strict=True))


def row_fields(row: Row) -> dict[str, Any]:
    """A manifest row as plain report values."""
    return values_of(report_row(row))


LEAST_SIDE = 161  # pixels: below, MS-SSIM says little, since its coarsest windows look beyond the picture


def not_tiny(rows: Sequence[ReportRow]) -> Sequence[ReportRow]:
    """The rows of pictures whose sides have `LEAST_SIDE` pixels; all where there are none."""
    return list(filter(is_large, rows)) or rows


def is_large(row: ReportRow) -> bool:
    """Tell whether MS-SSIM says much of a picture."""
    return min(row.width, row.height) >= LEAST_SIDE


SORTS: dict[str, Callable[[ReportRow], Any]] = {
    "path": lambda row: row.path,
    "size": lambda row: -row.width * row.height,
    "source": lambda row: -row.source_bytes,
    "archived": lambda row: -row.archived_bytes,
    "bpp": lambda row: (row.bpp is None, -(row.bpp or 0)),
    "ms-ssim": lambda row: (row.ms_ssim is None, row.ms_ssim),
    "gain": lambda row: (row.ms_ssim is None, (row.ms_ssim or 0) - (row.jpeg_ms_ssim or 0)),
    "saved": lambda row: -row.saved,
}
