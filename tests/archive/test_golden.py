"""The format on the disk stays what the committed archive says."""

from __future__ import annotations

from pathlib import Path

from batchcomp.archive import ArchiveReader, verify
from batchcomp.archive.segment import open_segment

from .make_golden import GOLDEN, make

SEGMENTS = ["000001.zip", "000002.zip"]
PAYLOADS = [
    b"\xff\xd8 compact \xff\xd9",
    b"verbatim source",
    b"\xff\xd8 again \xff\xd9",
    b"content that two names had",
    b"packed",
]


def test_every_row_and_byte_comes_back(tmp_path: Path) -> None:
    """The committed archive is read as it was written."""
    written = make(tmp_path / "x.bca")
    with ArchiveReader.open(GOLDEN) as archive:
        rows = list(archive.all_rows())
        assert rows == written
        assert [archive.read(row) for row in rows] == PAYLOADS
        assert list(archive.rows()) == rows[1:]
    assert verify(GOLDEN).ok


def test_the_writer_writes_the_same_bytes(tmp_path: Path) -> None:
    """The same pictures give the same segments, byte for byte."""
    make(tmp_path / "x.bca")
    for name in SEGMENTS:
        assert (tmp_path / "x.bca" / name).read_bytes() == (GOLDEN / name).read_bytes()


def test_it_holds_every_kind_of_line() -> None:
    """Pictures, a shared row and a held entry are in it, so that none of them can change unnoticed."""
    lines = [line for number in (1, 2) for line in open_segment(GOLDEN, number).row_lines()]
    assert [line[:14] for line in lines].count(b'{"type":"held"') == 1
    assert sum(b'"owner_segment":1' in line for line in lines) == 1


def test_reading_leaves_no_trace() -> None:
    """Readers take no lock and write nothing, so archives on read-only disks can be read."""
    assert sorted(path.name for path in GOLDEN.iterdir()) == SEGMENTS
