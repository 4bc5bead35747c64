"""Rows as a Parquet file."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from batchcomp.errors import ArchiveError, UsageError
from batchcomp.report.parquet import COLUMNS, check_parquet, write_parquet
from batchcomp.report.rows import row_fields
from tests.archive.samples import sample_row, verbatim_row

parquet = pytest.importorskip("pyarrow.parquet", reason="needs the extra [parquet]")
ARCHIVED = {1: datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)}


def test_a_line_a_picture(tmp_path: Path) -> None:
    """All figures of a report under its names, times as times, what is not known as null."""
    file = tmp_path / "x.parquet"
    rows = [
        sample_row("a.png", segment=1, payload_bytes=9, mtime_ns=1_700_000_000_123_456_789, unpacked_bytes=12),
        verbatim_row("b.gif", segment=2, mtime_ns=2**62 * 10**9),
    ]
    assert write_parquet(file, iter(rows), ARCHIVED) == 2
    table = parquet.read_table(file)
    assert {field.name: str(field.type).replace("double", "float64") for field in table.schema} == COLUMNS
    first, second = table.to_pylist()
    for found, row in zip((first, second), rows, strict=True):
        assert {name: found[name] for name in row_fields(row)} == row_fields(row)
    assert first["changed"] == datetime(2023, 11, 14, 22, 13, 20, 123456, tzinfo=UTC)
    assert (first["archived"], first["segment"], first["model"]) == (ARCHIVED[1], 1, "cd" * 32)
    assert (second["changed"], second["archived"], second["bpp"] is None) == (None, None, False)


def test_many_rows_are_written_in_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """None is lost between two groups; an archive without pictures is a file without lines."""
    monkeypatch.setattr("batchcomp.report.parquet.GROUP", 3)
    for count in (0, 3, 7):
        file = tmp_path / f"{count}.parquet"
        assert write_parquet(file, (sample_row(f"{number}") for number in range(count)), {}) == count
        assert parquet.read_table(file)["path"].to_pylist() == [f"{number}" for number in range(count)]


def test_what_fails_leaves_what_was_there(tmp_path: Path) -> None:
    """The old file stays whole, and nothing else is left."""
    file = tmp_path / "x.parquet"
    file.write_bytes(b"old")

    def rows() -> object:
        yield sample_row("a.png")
        raise OSError(28, "No space left on device")

    with pytest.raises(ArchiveError, match=r"x\.parquet: No space left on device; free some space"):
        write_parquet(file, rows(), {})  # type: ignore[arg-type]
    assert [path.name for path in tmp_path.iterdir()] == ["x.parquet"]
    assert file.read_bytes() == b"old"


def test_what_cannot_be_written_is_said_first(tmp_path: Path) -> None:
    """A file that is there, a folder that is not."""
    (tmp_path / "x").write_bytes(b"")
    check_parquet(tmp_path / "x", force=True)
    check_parquet(tmp_path / "y", force=False)
    with pytest.raises(UsageError, match="is there already; pass --force"):
        check_parquet(tmp_path / "x", force=False)
    with pytest.raises(UsageError, match="there is no such folder"):
        check_parquet(tmp_path / "none" / "x", force=False)
