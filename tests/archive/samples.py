"""Rows and archives that the tests of this folder share."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from batchcomp.archive import ArchiveWriter, JpegComparison, Row
from batchcomp.archive.store import Location

COMPARISON = JpegComparison(quality=31, bytes=20_000, ms_ssim=0.9612345, bytes_at_ms_ssim=32_111)


def sample_row(path: str = "photos/a.png", **fields: Any) -> Row:
    """Return a row as the pipeline would hand it to the writer."""
    usual: dict[str, Any] = {
        "path": path,
        "stored": "compact",
        "source_bytes": 123_456,
        "mtime_ns": 1_700_000_000_123_456_789,
        "permissions": 0o640,
        "source_sha256": "ab" * 32,
        "width": 768,
        "height": 512,
        "mode": "RGB",
        "model": "cd" * 32,
        "scale": 2,
        "quality": 50,
        "ms_ssim": 0.98,
        "jpeg": COMPARISON,
        "seconds": 1.25,
    }
    return Row(**{**usual, **fields})


def verbatim_row(path: str, **fields: Any) -> Row:
    """Return a row of a picture that is stored as it came."""
    usual = {"model": "", "scale": 0, "quality": 0, "ms_ssim": None, "jpeg": None, "reason": "16 bits a channel"}
    return sample_row(path, stored="verbatim", **{**usual, **fields})


def fixed_now() -> datetime:
    """Return a time that does not pass."""
    return datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def write_archive(folder: Location, pictures: list[tuple[Row, bytes]], **options: Any) -> list[Row]:
    """Write the pictures to one archive and return the completed rows."""
    with ArchiveWriter(folder, now=fixed_now, **options) as writer:
        return [writer.add(row, payload) for row, payload in pictures]


def three_pictures(folder: Path) -> list[Row]:
    """Write an archive of one segment that has all kinds in it."""
    return write_archive(
        folder,
        [
            (sample_row("photos/a.png"), b"first payload" * 20),
            (verbatim_row("photos/ü 1.tif"), b"second payload" * 10),
            (sample_row("b.jpg", ms_ssim=None, jpeg=None), b"third payload" * 5),
        ],
    )


def archive_that_shares(folder: Path) -> None:
    """Write an archive whose second segment shares content of the first and of its own."""
    first = three_pictures(folder)[0]
    with ArchiveWriter(folder, now=fixed_now) as writer:
        writer.add_shared(sample_row("moved/a.png", mtime_ns=77, permissions=0o600), first)
        own = writer.add(sample_row("new.png", source_sha256="12" * 32), b"new payload")
        writer.add_shared(sample_row("twin.png"), own)
