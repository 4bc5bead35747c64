"""From a damaged segment everything that is proved intact is kept, and all else is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from batchcomp.archive.mapped import mapped
from batchcomp.archive.salvage import Lost, Salvage, salvage
from batchcomp.errors import PictureError

REASON = "its payload is damaged or missing"


def describe(_kind: str, _payload: bytes) -> dict[str, Any]:
    """What the codec would say of a payload."""
    return {"width": 5, "height": 4, "mode": "RGB"}


def saved(path: Path, data: bytes) -> tuple[Salvage, list[bytes]]:
    """Return what is saved from a segment with these bytes, and the payloads."""
    path.write_bytes(data)
    with mapped(path) as view:
        found = salvage(view, path, 1, describe, {})
        return found, [kept.read() for kept in found.kept if kept.read]


def test_a_sound_segment_is_kept_as_it_is(segment: Path) -> None:
    """Every row and payload, in their order, and nothing is made anew."""
    found, payloads = saved(segment, segment.read_bytes())
    assert payloads == [b"first payload" * 20, b"second payload" * 10, b"third payload" * 5]
    assert (found.lost, found.rebuilt) == ([], 0)


def test_a_damaged_payload_is_lost_and_named(segment: Path) -> None:
    """Its neighbours stay."""
    found, payloads = saved(segment, segment.read_bytes().replace(b"second payload", b"SECOND payload", 1))
    assert payloads == [b"first payload" * 20, b"third payload" * 5]
    assert [(lost.path, lost.reason) for lost in found.lost] == [("photos/ü 1.tif", REASON)]


def test_without_a_manifest_rows_are_made_anew(segment: Path) -> None:
    """Local header and payload say all but the measurements."""
    data = segment.read_bytes()
    found, payloads = saved(segment, data[: data.index(b'{"type":"segment"')])
    assert len(payloads) == found.rebuilt == 3
    row = found.kept[0].row
    assert row is not None
    assert (row.path, row.width, row.permissions, row.ms_ssim) == ("photos/a.png", 5, 0o640, None)


def test_nothing_is_saved_from_an_empty_file(segment: Path) -> None:
    """An empty file cannot be mapped, and that is no crash."""
    reason = "nothing in it can be read: how many pictures were in it, and which, is unknown"
    assert saved(segment, b"")[0] == Salvage(lost=[Lost(path="000001.zip", reason=reason, count=None)])


def test_a_payload_that_the_codec_refuses_is_lost(segment: Path) -> None:
    """What its row would say cannot be found out, and the reason is the codec's."""

    def refuse(_kind: str, _payload: bytes) -> dict[str, Any]:
        raise PictureError("no picture")

    data = segment.read_bytes()
    segment.write_bytes(data[: data.index(b'{"type":"segment"')])
    with mapped(segment) as view:
        assert {lost.reason for lost in salvage(view, segment, 1, refuse, {}).lost if lost.count} == {"no picture"}


@pytest.mark.parametrize("kept", [b'"mtime_ns":17', b'"crc":"'])
def test_a_row_that_proves_nothing_is_not_used(segment: Path, kept: bytes) -> None:
    """A row with a wrong checksum is made anew from its local header."""
    data = segment.read_bytes()
    found, payloads = saved(segment, data.replace(kept, kept[:-1] + b"?", 1))
    assert (len(payloads), found.rebuilt, found.lost) == (3, 1, [])
