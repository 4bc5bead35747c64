"""A report as a table, for people."""

from __future__ import annotations

from batchcomp.kinds import COMPACT
from batchcomp.report.formats.base import Printer, Report
from batchcomp.report.rows import ReportRow, Totals
from batchcomp.report.text import ABSENT, change, human, number, percent, pictures, printable

COLUMNS = [
    ("picture", "left"),
    ("size", "right"),
    ("source", "right"),
    ("archived", "right"),
    ("bpp", "right"),
    ("MS-SSIM", "right"),
    ("JPEG MS-SSIM", "right"),
    ("JPEG bytes", "right"),
    ("vs JPEG", "right"),
    ("saved", "right"),
]
STACK = ((0, 1), (2, 3), (4, 9), (5, 6), (7, 8))  # columns that share one where the terminal is narrow
LEGEND = [
    "JPEG MS-SSIM: plain JPEG at the same bytes; JPEG bytes: at the same MS-SSIM",
    "vs JPEG: bytes against those of JPEG; saved: against the source",
]
ESTIMATED = "~: estimated from few JPEG files; `compress --measure exact` makes as many as it takes"


def write(report: Report, out: Printer) -> None:
    """The table, then remarks on all of it."""
    rows = [cells(row) for row in report.rows]
    out.show_table(report.title, COLUMNS, rows, footer(report.totals), stack=STACK)
    for line in remarks(report.totals):
        out.write(printable(line) + "\n")


def _picture(row: ReportRow) -> str:
    if row.stored in COMPACT and not row.reason:
        return row.path
    how = f"stored as it is: {row.reason}" if row.stored == "verbatim" else row.reason or row.stored
    return f"{row.path} ({how})"


def cells(row: ReportRow) -> list[str]:
    """One row of the table."""
    return [
        _picture(row),
        f"{row.width}x{row.height}" if row.width else ABSENT,
        human(row.source_bytes),
        human(row.archived_bytes),
        number(row.bpp, 3),
        number(row.ms_ssim, 4),
        _about(row, number(row.jpeg_ms_ssim, 4)),
        _about(row, ABSENT if row.jpeg_bytes is None else human(row.jpeg_bytes)),
        _about(row, change(row.saved_vs_jpeg)),
        percent(row.saved),
    ]


def _about(row: ReportRow, text: str) -> str:
    """Mark what was estimated."""
    return f"~{text}" if row.jpeg_within_db and text != ABSENT else text


def footer(total: Totals) -> list[str]:
    """The table's last line: sums and means."""
    return [
        pictures(total.pictures) + (f", {total.won} of {total.measured} measured above JPEG" if total.measured else ""),
        "",
        human(total.source_bytes),
        human(total.archived_bytes),
        number(total.mean_bpp, 3),
        number(total.mean_ms_ssim, 4),
        number(total.mean_jpeg_ms_ssim, 4),
        "",
        "",
        percent(total.saved),
    ]


def remarks(total: Totals) -> list[str]:
    """What stands below the table."""
    lines = [*LEGEND] if total.measured else []
    lines += [ESTIMATED] if total.estimated else []
    lines += [f"on disk, manifests and ZIP headers included: {human(total.archive_bytes_on_disk)}"]
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
        sizes = f"{human(total.packed_bytes)}, as JPEGs {human(total.unpacked_bytes)} ({change(saved)})"
        lines.append(f"packed: {pictures(total.packed)}, {sizes}; `batchcomp unpack` gives the JPEGs back")
    if total.measured < total.compact:
        lines.append(f"stored without measuring: {pictures(total.compact - total.measured)}")
    return lines
