"""How large restored files will be."""

from __future__ import annotations

from pathlib import Path

import pytest

from batchcomp.outputs import FORMATS
from batchcomp.pipeline.expected import expect, expected_bytes, free_bytes
from tests.archive.samples import sample_row, verbatim_row


def test_what_is_given_back_as_it_is_has_its_own_size() -> None:
    """Verbatim files exactly; lossless ones as PNG as they are stored."""
    assert expected_bytes(verbatim_row("a.gif", payload_bytes=1234), "png") == 1234
    assert expected_bytes(sample_row("a.png", stored="png", scale=1, payload_bytes=777), "png") == 777


@pytest.mark.parametrize("form", FORMATS)
def test_more_detail_takes_more_bytes(form: str) -> None:
    """In every format, and never more than the pixels themselves; unknown sizes are the payload's."""
    sizes = [
        expected_bytes(sample_row("a.png", width=1000, height=800, payload_bytes=count), form)
        for count in (2_000, 20_000, 200_000, 20_000_000)
    ]
    assert sizes == sorted(set(sizes))
    assert sizes[-1] <= 3 * 1000 * 800 + 20_000_000
    assert expected_bytes(sample_row("a.png", width=0, height=0, payload_bytes=55), form) == 55


def test_sums_and_room(tmp_path: Path) -> None:
    """Of many rows the sum; the room is that of the disk above, where the folder is not there yet."""
    found = expect([verbatim_row("a.gif", payload_bytes=10), verbatim_row("b.gif", payload_bytes=5)], "png", tmp_path)
    assert (found.pictures, found.bytes) == (2, 15)
    room = free_bytes(tmp_path / "not" / "there")
    assert room is not None
    assert room > 0
