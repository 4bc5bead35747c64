"""One segment is read as a ZIP file of which nothing is trusted."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from batchcomp.archive import ArchiveReader
from batchcomp.archive.segment import open_segment, quick_manifest
from batchcomp.errors import ArchiveDamagedError

from .forge import MANIFEST, forge, picture
from .samples import sample_row, write_archive


def test_compressed_entries_are_refused(tmp_path: Path) -> None:
    """Nothing is ever inflated, so there are no decompression bombs."""
    forge(tmp_path / "x.bca", [picture()], [("a.png.jpg", b"data")])
    path = tmp_path / "x.bca" / "000001.zip"
    with zipfile.ZipFile(path) as archive:
        manifest = archive.read(MANIFEST)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(zipfile.ZipInfo("a.png.jpg"), bytes(10**6), compress_type=zipfile.ZIP_DEFLATED)
        archive.writestr(zipfile.ZipInfo(MANIFEST), manifest)
    archive_read = ArchiveReader.open(path.parent)
    assert "compressed" in archive_read.damage[0].reason
    with pytest.raises(ArchiveDamagedError, match="missing or unusable"):
        archive_read.read(next(archive_read.rows()))


def test_overlapping_entries_are_refused(segment: Path) -> None:
    """A directory that claims more bytes than lie before the next entry is not followed."""
    data = bytearray(segment.read_bytes())
    start = data.index(b"PK\x01\x02")
    data[start + 20 : start + 28] = (10**9).to_bytes(4, "little") * 2
    segment.write_bytes(data)
    assert "reaches into" in ArchiveReader.open(segment.parent).damage[0].reason


def test_the_quick_way_reads_the_same_manifest(tmp_path: Path) -> None:
    """However a segment looks, the short way to its manifest and the long one agree."""
    folder = tmp_path / "x.bca"
    write_archive(folder, [(sample_row(f"{n}.png"), b"data" * n) for n in range(20)], segment_bytes=4000)
    for number in range(1, 5):
        assert quick_manifest(folder, number) == open_segment(folder, number).read_manifest()
