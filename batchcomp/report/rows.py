"""From manifest rows to what a report shows: per picture and in all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from batchcomp.archive import Row
from batchcomp.errors import UsageError
from batchcomp.kinds import COMPACT, LOSSLESS


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


@dataclass(frozen=True, kw_only=True)
class Totals:
    """Over all pictures of a report; means are over the measured ones."""

    pictures: int
    compact: int
    plain_jpeg: int
    lossless: int
    verbatim: int
    measured: int
    estimated: int  # of these, how many have figures of JPEG that are estimated
    won: int
    source_bytes: int
    archived_bytes: int
    packed: int  # pictures whose payload was packed
    packed_bytes: int
    unpacked_bytes: int  # of the same pictures before
    archive_bytes_on_disk: int
    saved: float
    jpeg_known: int  # pictures of which `jpeg_bytes` is known
    jpeg_bytes: int  # what plain JPEG takes for the same MS-SSIM of these,
    jpeg_rival_bytes: int  # and what they take here
    saved_vs_jpeg: float | None  # of these
    mean_bpp: float | None
    mean_ms_ssim: float | None
    mean_jpeg_ms_ssim: float | None
    mean_ssimulacra2: float | None  # over those that have one
    worst_ms_ssim: float | None
    worst_path: str | None


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


def row_fields(row: Row) -> dict[str, Any]:
    """A manifest row as plain report values, for JSON and CSV."""
    return asdict(report_row(row))


def totals(rows: Sequence[ReportRow], bytes_on_disk: int) -> Totals:
    """Sum up a report. `bytes_on_disk` is the whole archive, manifests and ZIP headers included."""
    measured = [row for row in rows if row.ms_ssim is not None]
    worst = min(not_tiny(measured), key=lambda row: row.ms_ssim or 0.0, default=None)
    source, archived = sum(r.source_bytes for r in rows), sum(r.archived_bytes for r in rows)
    rivals = [row for row in rows if row.jpeg_bytes is not None]
    ours, at_jpeg = sum(row.archived_bytes for row in rivals), sum(row.jpeg_bytes or 0 for row in rivals)
    return Totals(
        pictures=len(rows),
        compact=sum(row.stored in COMPACT for row in rows),
        plain_jpeg=sum(row.stored == "jpeg" for row in rows),
        lossless=sum(row.stored in LOSSLESS for row in rows),
        verbatim=sum(row.stored == "verbatim" for row in rows),
        measured=len(measured),
        estimated=sum(row.jpeg_within_db is not None for row in rows),
        won=sum(bool(row.won) for row in rows),
        source_bytes=source,
        archived_bytes=archived,
        packed=sum(row.unpacked_bytes is not None for row in rows),
        packed_bytes=sum(row.archived_bytes for row in rows if row.unpacked_bytes is not None),
        unpacked_bytes=sum(row.unpacked_bytes or 0 for row in rows),
        archive_bytes_on_disk=bytes_on_disk,
        saved=1 - archived / source if source else 0.0,
        jpeg_known=len(rivals),
        jpeg_bytes=at_jpeg,
        jpeg_rival_bytes=ours,
        saved_vs_jpeg=1 - ours / at_jpeg if at_jpeg else None,
        mean_bpp=_mean(row.bpp for row in measured),
        mean_ms_ssim=_mean(row.ms_ssim for row in measured),
        mean_jpeg_ms_ssim=_mean(row.jpeg_ms_ssim for row in measured),
        mean_ssimulacra2=_mean(row.ssimulacra2 for row in measured),
        worst_ms_ssim=worst.ms_ssim if worst else None,
        worst_path=worst.path if worst else None,
    )


LEAST_SIDE = 161  # pixels: below, MS-SSIM says little, since its coarsest windows look beyond the picture


def not_tiny(rows: Sequence[ReportRow]) -> Sequence[ReportRow]:
    """The rows of pictures whose sides have `LEAST_SIDE` pixels; all where there are none."""
    return [row for row in rows if min(row.width, row.height) >= LEAST_SIDE] or rows


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


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


def arrange(rows: Iterable[ReportRow], *, sort: str = "path", worst: int | None = None) -> list[ReportRow]:
    """Sort rows by a column; `worst` keeps the N measured rows with the lowest MS-SSIM gain over JPEG.

    Icons are not among the worst, see `not_tiny`.

    Raises:
        UsageError: there is no such column.
    """
    if sort not in SORTS:
        raise UsageError(f"sort column {sort!r}: expected one of {', '.join(SORTS)}")
    rows = list(rows)
    if worst is not None:
        rows = sorted(not_tiny([row for row in rows if row.ms_ssim is not None]), key=SORTS["gain"])[:worst]
        return rows if sort == "path" else sorted(rows, key=SORTS[sort])
    return sorted(rows, key=SORTS[sort])
