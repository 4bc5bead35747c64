"""A manifest row is checked in both directions."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from zlib import crc32

import pytest

from batchcomp.archive import Row
from batchcomp.archive.manifest import picture_lines
from batchcomp.archive.rows import crc_problem, parse_line, row_from_json, row_line, row_of
from batchcomp.archive.segment import quick_manifest

from .forge import picture


@pytest.mark.parametrize(
    "line",
    [b'{"type":"picture",' + b"[" * 50_000, b'{"type":"picture","a":NaN}', b'{"type":"picture",\xff}', b"x" * 70_000],
)
def test_hostile_lines_are_value_errors(line: bytes) -> None:
    """Deep nesting, NaN, bad UTF-8 and endless lines end as one kind of error."""
    with pytest.raises(ValueError):
        parse_line(line)


def test_the_checksum_is_the_standard_one() -> None:
    """The forged rows above speak of b"data"."""
    row = row_from_json(picture(), 1)
    assert isinstance(row, Row)
    assert crc32(b"data") == 0xADF3F363


def test_lines_check_themselves(sharing: Path) -> None:
    """Each row ends with its own CRC-32: a changed byte in it is found without the rest of the manifest."""
    for line in picture_lines(quick_manifest(sharing, 2)):
        assert not crc_problem(line)
        for at in range(0, len(line) - 1, 7):
            changed = line[:at] + bytes([line[at] ^ 1]) + line[at + 1 :]
            assert crc_problem(changed)


def test_what_follows_from_other_fields_is_not_written() -> None:
    """Name, size and checksum of a verbatim payload are those of the source; where one differs, it is there."""
    row = Row(
        path="a.png", entry="a.png", stored="verbatim", source_bytes=5, payload_bytes=5, mtime_ns=1, permissions=0,
        source_sha256="ab" * 32, payload_sha256="ab" * 32, width=1, height=1, mode="L", segment=1,
    )  # fmt: skip
    assert row.is_source
    line = row_line(row)
    assert row_of(line, 1) == row
    assert not {"entry", "payload_bytes", "payload_sha256"} & parse_line(line).keys()
    for name, other in (("entry", "b.png"), ("payload_bytes", 6), ("payload_sha256", "cd" * 32)):
        different = replace(row, **{name: other})
        assert parse_line(row_line(different))[name] == other
        assert row_of(row_line(different), 1) == different
    assert not replace(row, payload_bytes=6).is_source


def test_a_row_without_what_others_follow_from_is_damage() -> None:
    """Nothing is made up where the source's checksum is missing."""
    with pytest.raises(ValueError, match="source_sha256: the field is missing"):
        row_from_json({"path": "a.png", "stored": "verbatim", "reason": "", "source_bytes": 1, "mtime_ns": 1,
                       "permissions": 0}, 1)  # fmt: skip
