"""A manifest row is checked in both directions."""

from __future__ import annotations

from pathlib import Path
from zlib import crc32

import pytest

from batchcomp.archive import Row
from batchcomp.archive.manifest import picture_lines
from batchcomp.archive.rows import crc_problem, parse_line, row_from_json
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
