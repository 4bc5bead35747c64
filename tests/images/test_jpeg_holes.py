"""Holes of zeros are told from flat areas by what zeros stand for in the Huffman tables."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from batchcomp.errors import PictureError
from batchcomp.images.jpeg_holes import HOLE, holes, tables, tells_holes
from batchcomp.images.jpeg_scans import layout
from batchcomp.images.load import decode_picture
from tests.cli.samples import photo

from .test_jpeg_damage import made

KINDS: list[dict[str, Any]] = [{}, {"optimize": True}, {"restart_marker_rows": 2}, {"progressive": True}]


@pytest.mark.parametrize("options", KINDS[:3])
@pytest.mark.parametrize("size", [512, 4096])
def test_a_hole_in_the_middle_is_said(options: dict[str, Any], size: int) -> None:
    """A sector or a page of zeros, as a failing disk leaves it, where the picture goes on behind it."""
    data = made(photo(512, 512, seed=6), **options)
    first = layout(data).scans[0]
    assert first.end - first.start > 2 * size
    for at in range(first.start + 100, first.end - size - 100, (first.end - first.start) // 7):
        with pytest.raises(PictureError, match=r"(truncated|damaged) JPEG"):
            decode_picture(data[:at] + bytes(size) + data[at + size :], "a.jpg")


@pytest.mark.parametrize("options", [*KINDS, {"optimize": True, "restart_marker_rows": 1}])
@pytest.mark.parametrize("quality", [10, 50, 100])
def test_flat_areas_are_sound(options: dict[str, Any], quality: int) -> None:
    """Blank pages, ramps and patterns have long runs of zeros, or few codes of which nothing can be told by trial."""
    ramp = np.linspace(0, 255, 700).astype(np.uint8)[:, None].repeat(400, 1)
    stripes = np.tile(np.array([0, 255], np.uint8), (700, 200))
    band = np.full((700, 400), 255, np.uint8)
    band[200:300] = photo(100, 400, seed=2)[:, :, 0]
    for grey in (np.full((700, 400), 128, np.uint8), np.full((700, 400), 255, np.uint8), ramp, stripes, band):
        data = made(grey, **{**options, "quality": quality})
        assert decode_picture(data, "a.jpg").pixels.shape == (700, 400, 1)


def test_what_zeros_stand_for() -> None:
    """The first symbol of a table has the code of zeros."""
    segment = bytes([0x10, 0, 2, *bytes(14), 0x21, 0x00, 0x00, 1, *bytes(15), 0x05])
    assert list(tables(segment)) == [(0x10, 0x21), (0x00, 0x05)]
    assert list(tables(segment[:20])) == [(0x10, 0x21)]
    assert list(tables(bytes(17))) == []


@pytest.mark.parametrize(
    ("header", "symbol", "tells"),
    [
        (b"\1\1\0\0\x3f\0", 0x01, True),
        (b"\1\1\0\0\x3f\0", 0x00, False),  # the end of a block
        (b"\1\1\0\0\x3f\0", 0xF0, False),  # sixteen zeros
        (b"\1\1\0\1\x05\2", 0x01, False),  # few coefficients
        (b"\1\1\0\1\x3f\x21", 0x01, False),  # refinement
        (b"\1\1\0\0\0\1", 0x01, False),  # DC
    ],
)
def test_which_scans_tell(header: bytes, symbol: int, tells: bool) -> None:
    """Only where zeros stand for coefficients of a whole block."""
    assert tells_holes(header, {0x10: symbol}) is tells


def test_runs_are_found() -> None:
    """Shorter ones are no holes."""
    data = b"\1" + bytes(HOLE - 1) + b"\1" + bytes(HOLE + 5) + b"\1" + bytes(HOLE)
    assert list(holes(data, 0, len(data))) == [2 * HOLE + 6, 3 * HOLE + 7]
    assert list(holes(data, 0, 2 * HOLE - 1)) == []
