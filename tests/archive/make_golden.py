"""Makes the golden archive; run once per format version: `python -m tests.archive.make_golden`. Never overwrites."""

from __future__ import annotations

from pathlib import Path

from batchcomp.archive import ArchiveWriter, JpegComparison, Row

from .samples import fixed_now

GOLDEN = Path(__file__).parent / "golden" / "version-1.bca"


def pictures() -> list[tuple[Row, bytes]]:
    """Return rows that use every field, and payloads that stand for pictures."""
    compact = Row(
        path="photos/ü 1.png", stored="compact", source_bytes=654_321, mtime_ns=1_700_000_000_123_456_789,
        permissions=0o640, source_sha256="ab" * 32, metadata_bytes=7, width=641, height=479, mode="RGB",
        model="cd" * 32, scale=2, quality=50, ms_ssim=0.975, seconds=1.5,
        jpeg=JpegComparison(quality=31, bytes=20_000, ms_ssim=0.9625, bytes_at_ms_ssim=None),
    )  # fmt: skip
    verbatim = Row(
        path="b.tif", stored="verbatim", reason="16 bits a channel", source_bytes=15, mtime_ns=-1,
        permissions=0o4755, source_sha256="ef" * 32, width=0, height=0, mode="",
    )  # fmt: skip
    return [
        (compact, b"\xff\xd8 compact \xff\xd9"),
        (verbatim, b"verbatim source"),
        (compact, b"\xff\xd8 again \xff\xd9"),
    ]


def make(folder: Path) -> list[Row]:
    """Write two segments; return the rows in the order written."""
    with ArchiveWriter(folder, now=fixed_now) as writer:
        first = [writer.add(row, payload) for row, payload in pictures()[:2]]
        writer.commit()
        return [*first, writer.add(*pictures()[2])]


if __name__ == "__main__":
    if GOLDEN.exists():
        raise SystemExit(f"{GOLDEN}: exists; a golden archive is never changed")
    make(GOLDEN)
    (GOLDEN / ".lock").unlink(missing_ok=True)
