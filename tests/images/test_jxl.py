"""What a JPEG XL file says of itself is read without its decoder."""

from __future__ import annotations

import struct

import pillow_jxl  # noqa: F401 - registers what writes JPEG XL
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchcomp.images.jxl import CODESTREAM, CONTAINER, boxes, header, jpeg_inside

from .make import encoded, image


def box(kind: bytes, content: bytes) -> bytes:
    """Return a box of a container."""
    return struct.pack(">I4s", len(content) + 8, kind) + content


@pytest.mark.parametrize("size", [(1, 1), (8, 8), (40, 30), (256, 256), (641, 479)])
def test_the_size_is_that_of_the_picture(size: tuple[int, int]) -> None:
    """Small and large sizes and ratios are coded in different ways."""
    found = header(encoded(image(size=size), "JXL"))
    assert (found.width, found.height, found.reason) == (*size, "")


def test_boxes_are_those_of_a_container() -> None:
    """A bare codestream has none; a box that overruns the file ends the walk."""
    data = CONTAINER + box(b"xml ", b"<x/>") + box(b"jxlc", b"rest")
    assert list(boxes(data)) == [(b"xml ", b"<x/>"), (b"jxlc", b"rest")]
    assert list(boxes(data[:-1])) == [(b"xml ", b"<x/>")]
    assert list(boxes(CODESTREAM + data)) == []


def test_a_box_may_be_long_or_reach_to_the_end() -> None:
    """ISO/IEC 14496-12, 4.2: size 1 means 64 bits follow, size 0 means all that is left."""
    long = struct.pack(">I4sQ", 1, b"abcd", 20) + b"long"
    assert list(boxes(CONTAINER + long + struct.pack(">I4s", 0, b"last") + b"rest")) == [
        (b"abcd", b"long"),
        (b"last", b"rest"),
    ]


def test_a_picture_made_from_pixels_has_no_jpeg_inside() -> None:
    """Only files that were made from a JPEG without loss can give it back (tests/pipeline/test_formats.py)."""
    assert jpeg_inside(encoded(image(), "JXL")) is None


@given(st.binary(max_size=100))
@settings(max_examples=200)
def test_hostile_headers_are_value_errors(rest: bytes) -> None:
    """Whatever follows the start, the answer is a header or a ValueError."""
    for data in (CODESTREAM + rest, CONTAINER + rest):
        try:
            assert header(data).width >= 0
        except ValueError as error:
            assert str(error)  # noqa: PT017 - either outcome is right
