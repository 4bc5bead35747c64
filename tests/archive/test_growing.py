"""A segment that is being written gives each entry a name of its own."""

from __future__ import annotations

from pathlib import Path

from batchcomp.archive import ArchiveReader, verify

from .samples import sample_row, verbatim_row, write_archive


def test_clashing_names_become_unique(tmp_path: Path) -> None:
    """Entries of one segment differ even where upper and lower case count as one."""
    names = ["a.png", "A.PNG", "a.png.jpg", "x/.hidden", "x/.hidden"]
    pictures = [(verbatim_row(name) if name.endswith("jpg") else sample_row(name), name.encode()) for name in names]
    rows = write_archive(tmp_path / "x.bca", pictures)
    entries = ["a.png.jpg", "A.PNG~2.jpg", "a.png~3.jpg", "x/.hidden.jpg", "x/.hidden~2.jpg"]
    assert [row.entry for row in rows] == entries
    archive = ArchiveReader.open(tmp_path / "x.bca")
    assert all(archive.read(row) == row.path.encode() for row in rows)


def test_the_manifest_name_is_taken(tmp_path: Path) -> None:
    """A source that is called like the manifest is archived under another entry name."""
    (row,) = write_archive(tmp_path / "x.bca", [(verbatim_row("batchcomp-manifest.jsonl"), b"mine")])
    assert row.entry == "batchcomp-manifest~2.jsonl"
    assert ArchiveReader.open(tmp_path / "x.bca").read(row) == b"mine"


def test_longest_file_names_fit(tmp_path: Path) -> None:
    """A name of 255 bytes stays archivable though ".jpg" would make its entry too long to unzip."""
    (row,) = write_archive(tmp_path / "x.bca", [(sample_row("ü" * 127 + "x"), b"data")])
    assert len(row.entry.encode()) <= 255
    assert row.entry.endswith(".jpg")
    assert verify(tmp_path / "x.bca").ok
