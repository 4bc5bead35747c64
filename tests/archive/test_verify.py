"""`verify` finds any damage and names it."""

from __future__ import annotations

from pathlib import Path

import pytest

from batchcomp.archive import ArchiveReader, verify
from batchcomp.archive.growing import GrowingSegment
from batchcomp.archive.rows import parse_line, row_from_json, row_line
from batchcomp.archive.segment import open_segment

from .forge import flip, forge, payloads, picture
from .samples import fixed_now, sample_row, write_archive


def test_every_flipped_byte_is_found(segment: Path) -> None:
    """A flipped bit in any byte of a segment is damage to verify, and no reader is given wrong bytes."""
    sound, right = segment.read_bytes(), payloads(segment.parent)
    for position in range(0, len(sound), 5):
        flip(segment, position)
        assert not verify(segment.parent).ok, position
        if position % 2:
            assert payloads(segment.parent).items() <= right.items(), position
        segment.write_bytes(sound)


def test_every_truncation_is_found(segment: Path) -> None:
    """A segment cut off anywhere is damage that names the segment, and never a crash."""
    sound = segment.read_bytes()
    for size in range(0, len(sound), 37):
        segment.write_bytes(sound[:size])
        assert [damage.segment for damage in ArchiveReader.open(segment.parent).damage] == ["000001.zip"]
        assert not verify(segment.parent).ok
    segment.write_bytes(sound + b"\0")
    assert not verify(segment.parent).ok


@pytest.mark.parametrize(
    ("where", "words"),
    [
        (b"photos/a.png.jpg", "name it differently"),
        (b"bc\x30\x00", "local header is damaged"),
        (b"first payload", "payload is damaged"),
        (b'"width":768', "manifest is damaged"),
        (b"PK\x01\x02", "not a complete ZIP"),
        (b"PK\x05\x06", "not a complete ZIP"),
    ],
)
def test_damage_is_described(segment: Path, where: bytes, words: str) -> None:
    """Each region has its own words, so that a person knows what is lost."""
    flip(segment, segment.read_bytes().index(where) + 2)
    assert any(words in damage.reason for damage in verify(segment.parent).damage)


def test_a_missing_segment_is_damage(tmp_path: Path) -> None:
    """Numbers have no gaps, so a lost segment is noticed; a renamed one is not taken for it."""
    folder = tmp_path / "x.bca"
    for number in range(3):
        write_archive(folder, [(sample_row(f"{number}.png"), b"data")])
    (folder / "000002.zip").unlink()
    assert [(found.segment, found.reason) for found in verify(folder).damage] == [
        ("000002.zip", "the segment is missing")
    ]
    assert len(ArchiveReader.open(folder).damage) == 1
    (folder / "000003.zip").rename(folder / "000002.zip")
    assert "it is number 3" in verify(folder).damage[0].reason


def test_hostile_entries_are_left_out(tmp_path: Path) -> None:
    """Entries with unsafe names, unlisted entries and rows without an entry are each named."""
    folder = tmp_path / "x.bca"
    rows = [picture(), picture(path="gone.png", entry="gone.png.jpg")]
    forge(folder, rows, [("a.png.jpg", b"data"), ("../evil.jpg", b"evil"), ("more.jpg", b"more")])
    assert [damage.entry for damage in ArchiveReader.open(folder).damage] == ["../evil.jpg"]
    found = {damage.entry: damage.reason for damage in verify(folder).damage}
    assert "not allowed" in found["../evil.jpg"]
    assert "not in the manifest" in found["more.jpg"]
    assert "missing" in found["gone.png.jpg"]


def test_two_rows_of_one_entry_are_damage(tmp_path: Path) -> None:
    """Each entry has one row, or a picture would be shown under a name that it never had."""
    forge(tmp_path / "x.bca", [picture(), picture(path="c.png")], [("a.png.jpg", b"data")])
    assert any("two rows" in damage.reason for damage in verify(tmp_path / "x.bca").damage)


def edit(folder: Path, number: int, old: bytes, new: bytes) -> None:
    """Write a segment again with changed rows, as a writer with a bug would: canonical, but wrong."""
    segment = open_segment(folder, number)
    growing = GrowingSegment(folder, number)
    for line in list(segment.row_lines()):
        changed = row_line(row_from_json(parse_line(line.replace(old, new)), number))
        row = segment.row(line)
        if row.owner_segment:
            growing.append_line(changed)
        else:
            growing.append(row, changed, segment.read(row))
    growing.finish(fixed_now(), instead=True)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (b'"owner_segment":1', b'"owner_segment":2', "not there before it"),
        (b'"owner_segment":1', b'"owner_segment":3', "not there before it"),
        (b'"owner_segment":1', b'"owner_segment":999', "not there before it"),
        (b'"entry":"photos/a.png.jpg"', b'"entry":"b.jpg.jpg"', "does not agree"),
        (b'"source_sha256":"abab', b'"source_sha256":"acab', "does not agree"),
        (b'"width":768', b'"width":769', "does not agree"),
    ],
)
def test_verify_checks_what_a_row_refers_to(sharing: Path, old: bytes, new: bytes, words: str) -> None:
    """A shared row that leads nowhere, forward, or to other content is damage."""
    edit(sharing, 2, old, new)
    found = verify(sharing).damage
    assert any(words in damage.reason for damage in found)
