"""Makes the golden archive; run once per format version: `python -m tests.archive.make_golden`. Never overwrites."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import patch

from batchcomp.archive import ArchiveWriter, JpegComparison, Row, manifest, prune

from .samples import fixed_now

GOLDEN = Path(__file__).parent / "golden" / "version-1.bca"
PHOTO = Row(
    path="photos/ü 1.png", stored="compact", source_bytes=654_321, mtime_ns=1_700_000_000_123_456_789,
    permissions=0o640, source_sha256="ab" * 32, metadata_bytes=7, width=641, height=479, mode="RGB",
    model="cd" * 32, scale=2, quality=50, ms_ssim=0.975, seconds=1.5,
    jpeg=JpegComparison(quality=31, bytes=20_000, ms_ssim=0.9625, bytes_at_ms_ssim=None),
)  # fmt: skip
VERBATIM = Row(
    path="b.tif", stored="verbatim", reason="16 bits a channel", source_bytes=15, mtime_ns=-1,
    permissions=0o4755, source_sha256="ef" * 32, width=0, height=0, mode="",
)  # fmt: skip
DELETED = Row(
    path="old/name.png", stored="png", source_bytes=99, mtime_ns=0, permissions=0o600, source_sha256="12" * 32,
    width=3, height=2, mode="L", scale=1, quality=100, ms_ssim=1,
)  # fmt: skip
RENAMED = Row(
    path="new/name.png", stored="png", source_bytes=99, mtime_ns=5, permissions=0o644, source_sha256="12" * 32,
    width=3, height=2, mode="L",
)  # fmt: skip
PACKED = Row(
    path="c.jpg", stored="packed", source_bytes=7_000, mtime_ns=2**62, permissions=0o644, source_sha256="34" * 32,
    width=8, height=9, mode="LA", model="cd" * 32, scale=1, quality=61.25, ms_ssim=-0.5, seconds=2,
    recipe="max-bytes 6000, effort 4, packed", unpacked_bytes=20,
)  # fmt: skip


def make(folder: Path) -> list[Row]:
    """Write two segments that use every field and every kind of line; return the rows in the order written."""
    with patch.object(manifest, "__version__", "golden"):
        with ArchiveWriter(folder, now=fixed_now) as writer:
            first = writer.add(PHOTO, b"\xff\xd8 compact \xff\xd9")
            verbatim = writer.add(VERBATIM, b"verbatim source")
            owner = writer.add(DELETED, b"content that two names had")
            writer.commit()
            again = writer.add(PHOTO, b"\xff\xd8 again \xff\xd9")
            shared = writer.add_shared(RENAMED, owner)
            packed = writer.add(PACKED, b"packed")
        prune(folder, keep_last=2, gone=lambda path: path == DELETED.path, now=fixed_now)  # leaves a held line
    return [first, verbatim, again, shared, packed]


if __name__ == "__main__":
    if GOLDEN.exists():
        raise SystemExit(f"{GOLDEN}: exists; a golden archive is never changed")
    make(GOLDEN)
    (GOLDEN / ".lock").unlink(missing_ok=True)
