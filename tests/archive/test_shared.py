"""Content is stored once, however many names it has."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from batchcomp.archive import Archive, ArchiveWriter, Row, verify
from batchcomp.archive.manifest import picture_lines
from batchcomp.archive.rows import crc_problem, parse_line, row_line
from batchcomp.archive.segment import open_segment, quick_manifest
from batchcomp.errors import PictureError

from .samples import fixed_now, sample_row, three_pictures, write_archive


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return an archive whose second segment shares content of the first and of its own."""
    folder = tmp_path / "x.bca"
    first = three_pictures(folder)[0]
    with ArchiveWriter(folder, now=fixed_now) as writer:
        writer.add_shared(sample_row("moved/a.png", mtime_ns=77, permissions=0o600), first)
        own = writer.add(sample_row("new.png", source_sha256="12" * 32), b"new payload")
        writer.add_shared(sample_row("twin.png"), own)
    return folder


def edit(folder: Path, number: int, old: bytes, new: bytes) -> None:
    """Write a segment again with changed rows, as a writer with a bug would: canonical, but wrong."""
    from batchcomp.archive.growing import GrowingSegment  # noqa: PLC0415  # only here

    segment = open_segment(folder, number)
    growing = GrowingSegment(folder, number)
    for line in list(segment.row_lines()):
        changed = row_line(row_of(parse_line(line.replace(old, new)), number))
        row = segment.row(line)
        if row.owner_segment:
            growing.append_line(changed)
        else:
            growing.append(row, changed, segment.read(row))
    growing.finish(fixed_now(), instead=True)


def row_of(value: dict[str, object], number: int) -> Row:
    from batchcomp.archive.rows import row_from_json  # noqa: PLC0415  # only here

    return row_from_json(value, number)


def test_both_names_come_back(folder: Path) -> None:
    """A shared row has its own path, time and permissions, all else is its holder's, and its payload is the same."""
    archive = Archive.open(folder)
    rows = {row.path: row for row in archive.rows()}
    moved, first = rows["moved/a.png"], rows["photos/a.png"]
    assert archive.read(moved) == archive.read(first)
    assert (moved.mtime_ns, moved.permissions, moved.place) == (77, 0o600, (1, "photos/a.png.jpg"))
    same = replace(first, path=moved.path, mtime_ns=77, permissions=0o600, owner_segment=1, segment=2)
    assert moved == same
    assert rows["twin.png"].place == (2, "new.png.jpg")
    assert archive.read(rows["twin.png"]) == b"new payload"
    assert verify(folder).ok


def test_a_share_costs_a_line(folder: Path) -> None:
    """No entry is written for shared content; unzip shows only what the segment itself holds."""
    assert list(open_segment(folder, 2).spans) == ["new.png.jpg"]


def test_a_share_of_a_share_refers_to_the_holder(folder: Path) -> None:
    """References do not form chains, so that a row is two steps from its bytes at most."""
    moved = {row.path: row for row in Archive.open(folder).rows()}["moved/a.png"]
    with ArchiveWriter(folder) as writer:
        again = writer.add_shared(sample_row("again.png"), moved)
    assert again.place == (1, "photos/a.png.jpg")
    assert verify(folder).ok


def test_every_segment_says_version_1(folder: Path) -> None:
    """There is one version of the format, whatever a segment holds."""
    headers = [quick_manifest(folder, number).split(b"\n")[0] for number in (1, 2)]
    assert [parse_line(header)["version"] for header in headers] == [1, 1]


def test_bad_names_are_refused_for_shares_too(folder: Path) -> None:
    """A shared row is a way to write a name like any other."""
    owner = next(Archive.open(folder).rows())
    with ArchiveWriter(folder) as writer, pytest.raises(PictureError, match="cannot be archived"):
        writer.add_shared(sample_row("../x.png"), owner)


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
def test_verify_checks_what_a_row_refers_to(folder: Path, old: bytes, new: bytes, words: str) -> None:
    """A shared row that leads nowhere, forward, or to other content is damage."""
    edit(folder, 2, old, new)
    found = verify(folder).damage
    assert any(words in damage.reason for damage in found)


def test_lines_check_themselves(folder: Path) -> None:
    """Each row ends with its own CRC-32: a changed byte in it is found without the rest of the manifest."""
    for line in picture_lines(quick_manifest(folder, 2)):
        assert not crc_problem(line)
        for at in range(0, len(line) - 1, 7):
            changed = line[:at] + bytes([line[at] ^ 1]) + line[at + 1 :]
            assert crc_problem(changed)


def test_the_quick_way_reads_the_same_manifest(tmp_path: Path) -> None:
    """However a segment looks, the short way to its manifest and the long one agree."""
    folder = tmp_path / "x.bca"
    write_archive(folder, [(sample_row(f"{n}.png"), b"data" * n) for n in range(20)], segment_bytes=4000)
    for number in range(1, 5):
        assert quick_manifest(folder, number) == open_segment(folder, number).read_manifest()
