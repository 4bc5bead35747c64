"""The orders in which a report can have its rows, as SQL: those of `batchcomp.report.rows.SORTS`."""

from __future__ import annotations

from typing import Final

from batchcomp.errors import UsageError
from batchcomp.report.rows import SORTS

BPP: Final = "p.payload_bytes * 8.0 / (p.width * p.height)"  # NULL where there are no pixels
SAVED: Final = "CASE WHEN p.source_bytes THEN 1 - p.payload_bytes * 1.0 / p.source_bytes ELSE 0.0 END"
GAIN: Final = "p.ms_ssim - p.jpeg_ms_ssim"
_ORDERS: Final = {
    "path": "p.path",
    "size": "p.width * p.height DESC",
    "source": "p.source_bytes DESC",
    "archived": "p.payload_bytes DESC",
    "bpp": f"{BPP} IS NULL, {BPP} DESC",
    "ms-ssim": "p.ms_ssim IS NULL, p.ms_ssim",
    "gain": "p.ms_ssim IS NULL, coalesce(p.ms_ssim, 0) - coalesce(p.jpeg_ms_ssim, 0)",
    "saved": f"{SAVED} DESC",
}


def order_by(column: str) -> str:
    """Return the SQL that sorts by a column; what is equal stays in the order of the archive.

    Raises:
        UsageError: there is no such column.
    """
    if column not in _ORDERS:
        raise UsageError(f"sort column {column!r}: expected one of {', '.join(SORTS)}")
    return f"{_ORDERS[column]}, p.id"
