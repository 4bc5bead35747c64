"""Archives of every format version stay readable for good."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from batchcomp.archive import Archive, verify

from .make_golden import GOLDEN, make, pictures


def test_version_1_stays_readable() -> None:
    """Every row and byte of the committed archive comes back."""
    archive = Archive.open(GOLDEN)
    read = [(row, archive.read(row)) for row in archive.all_rows()]
    assert [payload for _, payload in read] == [payload for _, payload in pictures()]
    for (row, _), (given, _) in zip(read, pictures(), strict=True):
        assert replace(row, entry="", payload_bytes=0, payload_sha256="", segment=0) == given
    assert [(row.path, row.segment) for row in archive.rows()] == [("b.tif", 1), ("photos/ü 1.png", 2)]
    assert verify(GOLDEN).ok


def test_the_writer_still_writes_version_1(tmp_path: Path) -> None:
    """The same pictures give the same bytes today, but for the writer's version in the header."""
    make(tmp_path / "x.bca")
    for name in ("000001.zip", "000002.zip"):
        now, then = (_payload_part(path / name) for path in (tmp_path / "x.bca", GOLDEN))
        assert now == then


def _payload_part(segment: Path) -> bytes:
    data = segment.read_bytes()
    return data[: data.index(b'{"type":"segment"') - 60]


def test_reading_leaves_no_trace() -> None:
    """Readers take no lock and write nothing, so archives on read-only disks can be read."""
    assert sorted(path.name for path in GOLDEN.iterdir()) == ["000001.zip", "000002.zip"]
