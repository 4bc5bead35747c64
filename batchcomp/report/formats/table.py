"""A report as a table, for people."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from batchcomp.kinds import COMPACT, VERBATIM
from batchcomp.report.formats.base import Printer, Report
from batchcomp.report.rows import ReportRow
from batchcomp.report.summary import sentence
from batchcomp.report.text import ABSENT, Noted, count_of, human, number, percent, pictures
from batchcomp.report.totals import Totals

COLUMNS = [
    ("picture", "left"),
    ("size", "right"),
    ("source", "right"),
    ("archived", "right"),
    ("saved", "right"),
    ("bpp", "right"),
    ("MS-SSIM", "right"),
    ("JPEG's", "right"),
    ("JPEG bytes", "right"),
    ("saved vs JPEG", "right"),
]
SPARE = (1, 5, 8, 7, 2, 6, 4)  # columns that are left out where the terminal is narrow, the first one first
LEGEND = [
    "saved: bytes against the source; saved vs JPEG: against JPEG of equal MS-SSIM",
    "JPEG bytes: of plain JPEG of equal MS-SSIM; JPEG's: its MS-SSIM at our bytes",
]
ESTIMATED = "~: estimated from few JPEG files; `compress --measure exact` makes as many as it takes"


def write(report: Report, out: Printer) -> None:
    """What it all comes to in one sentence, the table, then remarks."""
    out.write_line(f"{report.title}: {sentence(report.totals)}")
    out.show_table("", COLUMNS, _Cells(report.rows), footer(report.totals), spare=SPARE)
    if report.left_out:
        out.write(f"{len(report.rows):,} of {pictures(len(report.rows) + report.left_out)} shown; --all shows all\n")
    for line in remarks(report.totals):
        out.write_line(line)


@dataclass(frozen=True)
class _Cells(Collection[list[str]]):
    """The cells of rows that need not be in memory."""

    rows: Collection[ReportRow]

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[list[str]]:
        return map(cells, self.rows)

    def __contains__(self, one: object) -> bool:
        return any(one == mine for mine in self)


def _picture(row: ReportRow) -> str:
    if row.stored in COMPACT and not row.reason:
        return row.path
    return Noted(row.path, f"stored as it is: {row.reason}" if row.stored == VERBATIM else row.reason or row.stored)


def cells(row: ReportRow) -> list[str]:
    """One row of the table."""
    return [
        _picture(row),
        f"{row.width}x{row.height}" if row.width else ABSENT,
        human(row.source_bytes),
        human(row.archived_bytes),
        percent(row.saved),
        number(row.bpp, 3),
        number(row.ms_ssim, 4),
        _about(row, number(row.jpeg_ms_ssim, 4)),
        _about(row, ABSENT if row.jpeg_bytes is None else human(row.jpeg_bytes)),
        _about(row, percent(row.saved_vs_jpeg)),
    ]


def _about(row: ReportRow, text: str) -> str:
    """Mark what was estimated."""
    return f"~{text}" if row.jpeg_within_db and text != ABSENT else text


def footer(total: Totals) -> list[str]:
    """The table's last line: sums and means."""
    return [
        pictures(total.pictures),
        "",
        human(total.source_bytes),
        human(total.archived_bytes),
        percent(total.saved),
        number(total.mean_bpp, 3),
        number(total.mean_ms_ssim, 4),
        number(total.mean_jpeg_ms_ssim, 4),
        human(total.jpeg_bytes) if total.jpeg_known else "",
        percent(total.saved_vs_jpeg) if total.jpeg_known else "",
    ]


def remarks(total: Totals) -> list[str]:
    """What stands below the table."""
    lines = [*LEGEND] if total.measured else []
    lines += [ESTIMATED] if total.estimated else []
    on_disk = human(total.archive_bytes_on_disk)
    lines += [f"on disk, equal content once, manifests and ZIP headers included: {on_disk}"]
    if total.worst_path is not None:
        lines.append(f"worst MS-SSIM: {number(total.worst_ms_ssim, 4)}, {total.worst_path}")
    if total.mean_ssimulacra2 is not None:
        lines.append(f"mean SSIMULACRA2: {number(total.mean_ssimulacra2, 1)}")
    if total.plain_jpeg:
        lines.append(f"stored as plain JPEG, which is better at the same bytes: {pictures(total.plain_jpeg)}")
    if total.lossless:
        lines.append(f"stored as lossless file, which takes no more bytes: {pictures(total.lossless)}")
    if total.packed:
        saved = 1 - total.packed_bytes / total.unpacked_bytes
        sizes = f"{human(total.packed_bytes)}, as JPEGs {human(total.unpacked_bytes)} ({percent(saved)} saved)"
        lines.append(f"packed: {pictures(total.packed)}, {sizes}; `batchcomp unpack` gives the JPEGs back")
    if total.verbatim:
        lines.append(f"stored as they are: {count_of(total.verbatim, 'file')}; `report --csv` says why of each")
    if total.measured < total.compact:
        lines.append(f"stored without measuring: {pictures(total.compact - total.measured)}")
    return lines
