"""Only names that the format gives are files of an archive."""

from __future__ import annotations

from pathlib import Path

from batchcomp.archive.segments import (
    aside_names,
    is_foreign,
    left_over_temps,
    next_aside,
    segment_name,
    segment_numbers,
    temp_name,
)


def make(folder: Path, *names: str) -> Path:
    """Write empty files."""
    for name in names:
        (folder / name).write_bytes(b"")
    return folder


def test_numbers_have_six_digits_or_more() -> None:
    """Names sort as numbers do up to a million segments, and stay unique beyond."""
    assert (segment_name(1), segment_name(1_234_567)) == ("000001.zip", "1234567.zip")
    assert temp_name(1) == ".000001.zip.tmp"


def test_other_files_are_ignored(tmp_path: Path) -> None:
    """Number 0, other suffixes, short numbers and folders are no segments."""
    make(tmp_path, "000002.zip", "000001.zip", "000000.zip", "1.zip", "000003.zip.damaged", "notes.txt")
    (tmp_path / "000004.zip").mkdir()
    assert segment_numbers(tmp_path) == [1, 2]


def test_temporary_files_are_those_of_a_writer(tmp_path: Path) -> None:
    """Unfinished segments and unfinished lock notes, nothing else."""
    make(tmp_path, ".000009.zip.tmp", "..lock.holder.77.tmp", ".keep.tmp", "000001.zip")
    assert left_over_temps(tmp_path) == ["..lock.holder.77.tmp", ".000009.zip.tmp"]


def test_damaged_files_are_kept_under_numbered_names(tmp_path: Path) -> None:
    """The oldest comes first, and the next name is always free."""
    assert next_aside(tmp_path, 1) == "000001.zip.damaged"
    make(tmp_path, "000001.zip.damaged-10", "000001.zip.damaged", "000001.zip.damaged-2", "000002.zip.damaged")
    names = ["000001.zip.damaged", "000001.zip.damaged-2", "000001.zip.damaged-10"]
    assert aside_names(tmp_path, 1) == names
    assert next_aside(tmp_path, 1) == "000001.zip.damaged-11"


def test_a_folder_of_other_files_is_foreign(tmp_path: Path) -> None:
    """Hidden files do not count, and a segment makes it an archive."""
    assert not is_foreign(make(tmp_path, ".lock"))
    assert is_foreign(make(tmp_path, "photo.jpg"))
    assert not is_foreign(make(tmp_path, "000001.zip"))
