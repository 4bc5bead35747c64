"""A committed segment changes in one step or not at all."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from batchcomp.archive import ArchiveReader, durable, rewrite, verify
from batchcomp.archive.rewrite import Kept
from batchcomp.archive.segment import open_segment
from batchcomp.errors import ArchiveError

from .samples import fixed_now, sample_row


def kept(path: Path) -> list[Kept]:
    """Return all of a segment but its first picture."""
    segment = open_segment(path.parent, 1)
    rows = [(line, segment.row(line)) for line in list(segment.row_lines())[1:]]
    payloads = {row.entry: segment.read(row) for _, row in rows}
    return [Kept(line=line, row=row, read=lambda row=row: payloads[row.entry]) for line, row in rows]


def test_the_new_segment_takes_the_place_of_the_old_one(segment: Path) -> None:
    """What is kept is there, nothing else, and the archive is sound."""
    rewrite.rewrite(segment.parent, 1, kept(segment), created=fixed_now())
    assert [row.path for row in ArchiveReader.open(segment.parent).rows()] == ["photos/ü 1.tif", "b.jpg"]
    assert verify(segment.parent).ok


def test_the_old_file_can_be_kept_aside(segment: Path) -> None:
    """Its bytes stay under another name."""
    before, aside = segment.read_bytes(), segment.with_name("000001.zip.damaged")
    rewrite.rewrite(segment.parent, 1, kept(segment), created=fixed_now(), aside=aside.name)
    assert aside.read_bytes() == before


def test_what_the_disk_did_not_keep_is_not_put_in_place(segment: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The new file is read back before it replaces the old one."""
    before, write = segment.read_bytes(), durable.write
    monkeypatch.setattr(durable, "write", lambda file, data: write(file, data.replace(b"third", b"THIRD")))
    with pytest.raises(ArchiveError, match="did not keep what was written"):
        rewrite.rewrite(segment.parent, 1, kept(segment), created=fixed_now())
    assert segment.read_bytes() == before
    assert [path.name for path in segment.parent.glob("*.zip*")] == ["000001.zip"]


def test_unknown_kinds_are_not_rewritten() -> None:
    """Nobody here knows what their recovery field must say."""
    with pytest.raises(ArchiveError, match="'novel', which this build cannot rewrite; upgrade"):
        rewrite.check_kind(replace(sample_row(), stored="novel"), "000001.zip")
