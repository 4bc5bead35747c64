"""What stays outside, as the archive notes it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from batchcomp.archive.failures_file import Failure, failures_bytes, read_failures

ONE = Failure(
    path="a.CR2", source="/photos/a.CR2", source_bytes=7, mtime_ns=-5, reason="a.CR2: a raw file", since="2026-11-01"
)
OTHER = replace(ONE, path="b\udcff.jpg", source="/photos/b\udcff.jpg", again=True, conditions="0123")


def write(folder: Path, data: bytes) -> None:
    (folder / "failures.jsonl").write_bytes(data)


def test_there_and_back(tmp_path: Path) -> None:
    """Names that are no UTF-8 too; the file is ASCII."""
    assert read_failures(tmp_path) == []
    data = failures_bytes([OTHER, ONE])
    write(tmp_path, data)
    assert read_failures(tmp_path) == [ONE, OTHER]
    assert data.isascii()
    write(tmp_path, failures_bytes([]))
    assert read_failures(tmp_path) == []


def test_a_damaged_line_is_ignored(tmp_path: Path) -> None:
    """Only that failure is forgotten, and so told again."""
    data = bytearray(failures_bytes([ONE, OTHER]))
    for at in range(data.index(b'{"type":"failure",'), data.index(b"\n", data.index(b'{"type":"failure",'))):
        broken = data.copy()
        broken[at] ^= 1
        write(tmp_path, bytes(broken))
        assert ONE not in read_failures(tmp_path)


@pytest.mark.parametrize("data", [b"", b"\n\n", b"\xff" * 99, b"{}\n", b"[]\n", b'{"type":"failures"}\n'])
def test_a_damaged_file_is_no_error(tmp_path: Path, data: bytes) -> None:
    """Nothing is remembered then."""
    write(tmp_path, data + failures_bytes([ONE]).split(b"\n", 1)[1])
    assert read_failures(tmp_path) == []


def test_what_is_too_long_is_left_out(tmp_path: Path) -> None:
    """It is told at every run, which is better than a file that cannot be read."""
    write(tmp_path, failures_bytes([replace(ONE, reason="x" * 5000), OTHER]))
    assert read_failures(tmp_path) == [OTHER]
