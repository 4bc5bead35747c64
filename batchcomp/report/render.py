"""Report rows as a table's cells or CSV. JSON lines are the rows themselves."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict, fields

from batchcomp.kinds import COMPACT
from batchcomp.report.rows import ReportRow, Totals

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
ABSENT = "-"


def human(count: float) -> str:
    """Bytes in the unit people read: 812 B, 12.3 kB, 4.5 MB (powers of 1000)."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 999.5 or unit == "GB":
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    raise AssertionError  # the loop returns at GB


def number(value: float | None, places: int) -> str:
    return ABSENT if value is None else f"{value:.{places}f}"


def percent(value: float | None) -> str:
    """A fraction: 0.4 -> 40 %."""
    return ABSENT if value is None else f"{round(value * 100)} %"


def change(saved: float | None) -> str:
    """A saved fraction as a change of bytes: 0.4 -> -40 %."""
    return ABSENT if saved is None else f"{round(-saved * 100):+} %".replace("+0", "0")


def pictures(count: int) -> str:
    return f"{count} picture{'' if count == 1 else 's'}"


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
        number(row.jpeg_ms_ssim, 4),
        ABSENT if row.jpeg_bytes is None else human(row.jpeg_bytes),
        change(row.saved_vs_jpeg),
        percent(row.saved),
    ]


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
    lines += [f"on disk, manifests and ZIP headers included: {human(total.archive_bytes_on_disk)}"]
    if total.worst_path is not None:
        lines.append(f"worst MS-SSIM: {number(total.worst_ms_ssim, 4)}, {total.worst_path}")
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


def as_csv(rows: Sequence[ReportRow]) -> str:
    """A CSV file with a heading; cells a spreadsheet would run as a formula are quoted with an apostrophe."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, [field.name for field in fields(ReportRow)], lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({key: _inert(value) for key, value in asdict(row).items()})
    return buffer.getvalue()


def _inert(value: object) -> object:
    """A cell that neither a spreadsheet nor a terminal obeys."""
    if not isinstance(value, str):
        return value
    text = "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogateescape").decode() for c in value)
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text
