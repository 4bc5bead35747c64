"""The frame of a manifest: header line, end line, counts, and what kind a line is of."""

from __future__ import annotations

from pathlib import Path

import pytest

from batchcomp.archive.manifest import (
    check_manifest,
    count_rows,
    end_line,
    header_line,
    held_line,
    inner_lines,
    is_held,
    line_path,
    picture_lines,
    row_lines,
)
from batchcomp.archive.rows import crc_problem, parse_line, row_line
from batchcomp.archive.segment import quick_manifest
from batchcomp.errors import ArchiveError

from .samples import fixed_now, sample_row

LINE = row_line(sample_row("ü/a.png", entry="a.png.jpg", payload_sha256="ab" * 32))
HELD = held_line(LINE)
NOTE = b'{"type":"note"}\n'
HEADER = header_line(7, fixed_now())
WHOLE = HEADER + LINE + NOTE + HELD + end_line(1, 1)


def test_every_segment_says_version_1(sharing: Path) -> None:
    """There is one version of the format, whatever a segment holds."""
    headers = [quick_manifest(sharing, number).split(b"\n")[0] for number in (1, 2)]
    assert [parse_line(header)["version"] for header in headers] == [1, 1]


def test_a_whole_manifest_passes() -> None:
    """The header is returned; lines of unknown types are allowed."""
    found = check_manifest(WHOLE, 7)
    assert (found.version, found.segment, found.created) == (1, 7, "2026-01-02T03:04:05Z")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (WHOLE[:-1], "cut off"),
        (WHOLE.replace(b'"segment":7', b'"segment":8'), "number 8"),
        (WHOLE.replace(b'"segment":7', b'"segment":"7"'), "no usable version or segment number"),
        (WHOLE.replace(b'"version":1', b'"version":0'), "no usable version"),
        (WHOLE.replace(b"batchcomp-archive", b"another-archive"), "not the header"),
        (HEADER + end_line(1, 1), "0 pictures, 0 held"),
        (HEADER + LINE, "the manifest has"),
    ],
)
def test_a_broken_frame_is_a_value_error(data: bytes, words: str) -> None:
    """The message says what is wrong with it."""
    with pytest.raises(ValueError, match=words):
        check_manifest(data, 7)


def test_a_newer_version_is_no_damage() -> None:
    """It says to upgrade."""
    with pytest.raises(ArchiveError, match="version 2: this build reads up to 1; upgrade"):
        check_manifest(WHOLE.replace(b'"version":1', b'"version":2'), 7)


def test_lines_are_found_by_their_type() -> None:
    """Pictures, rows and all inner lines, each in their order."""
    assert list(picture_lines(WHOLE)) == [LINE]
    assert list(row_lines(WHOLE)) == [LINE, HELD]
    assert list(inner_lines(WHOLE)) == [LINE, NOTE, HELD]
    assert count_rows([LINE, LINE, HELD]) == (2, 1)


def test_a_held_line_has_all_fields_and_its_own_checksum() -> None:
    """Only the type changes, and holding it twice changes nothing."""
    assert is_held(HELD)
    assert not is_held(LINE)
    assert crc_problem(HELD) == ""
    assert held_line(HELD) == HELD
    own = {"type", "crc"}
    assert {k: v for k, v in parse_line(HELD).items() if k not in own} == {
        k: v for k, v in parse_line(LINE).items() if k not in own
    }


def test_the_path_of_a_line_is_found_quickly_or_slowly() -> None:
    """However a line is ordered, its path is the same; what is no JSON has none."""
    assert line_path(LINE) == "ü/a.png"
    assert line_path(b'{"type":"picture","width":1,"path":"b"}\n') == "b"
    assert line_path(b'{"type":"picture",') is None
