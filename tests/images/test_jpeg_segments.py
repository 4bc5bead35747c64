"""JPEG's segments are walked in one place, up to the picture or the first damage."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchcomp.images.jpeg_segments import (
    APP0,
    COM,
    EOI,
    SOF,
    SOS,
    START,
    JpegSegment,
    further_segments,
    metadata_segments,
    segments,
    trailer,
    walk,
)

from .make import encoded, image, with_segment

PHOTO = encoded(image(), "JPEG", comment=b"hello")


def test_the_walk_ends_with_the_scan() -> None:
    """Every segment begins where the last one ended, and the first SOS is the last."""
    found = list(segments(PHOTO))
    assert found[0] == JpegSegment(APP0, 2, 20)
    assert all(one.end == other.start for one, other in pairwise(found))
    assert found[-1].marker == SOS
    assert sum(segment.marker in SOF for segment in found) == 1


def test_fill_bytes_are_allowed_before_a_marker() -> None:
    """T.81, B.1.1.2: any number of FF bytes may come first."""
    filled = PHOTO[:2] + b"\xff\xff" + PHOTO[2:]
    assert [one.marker for one in segments(filled)] == [one.marker for one in segments(PHOTO)]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "not a JPEG"),
        (b"\x89PNG\r\n\x1a\n", "not a JPEG"),
        (START + b"\x00\xe0\x00\x10", "byte 2 should begin a JPEG segment"),
        (START + b"\xff\xe0\x00\x01", "claims a length of 1"),
        (START + b"\xff\xe0\x00\x10", "overruns the file"),
        (START + bytes((0xFF, EOI)), "ends before its picture begins"),
        (START + b"\xff\xfe\x00\x02", "ends before its picture begins"),
        (START + b"\xff\xff\xff\xff\xff", "ends before its picture begins"),
    ],
)
def test_damage_is_a_value_error(data: bytes, words: str) -> None:
    """The message says what is wrong and where."""
    with pytest.raises(ValueError, match=words):
        list(segments(data))


def test_a_walk_reads_no_more_than_headers() -> None:
    """A caller can give it a file of which four bytes a segment are read."""
    counts = []

    def read(at: int, count: int) -> bytes:
        counts.append(count)
        return PHOTO[at : at + count]

    assert list(walk(read)) == list(segments(PHOTO))
    assert set(counts) == {4}


def test_metadata_before_damage_is_found() -> None:
    """What stands before the damage is intact."""
    data = with_segment(encoded(image(), "JPEG"), COM, b"text")
    assert list(metadata_segments(data[:10] + b"junk")) == [(COM, b"text")]


@given(st.binary(max_size=60))
def test_hostile_bytes_are_never_more_than_a_value_error(data: bytes) -> None:
    """Whatever follows the start, reading metadata ends quietly."""
    assert all(isinstance(content, bytes) for _, content in metadata_segments(START + data))
    assert isinstance(trailer(START + data), bytes)


def test_further_segments_are_those_without_a_field_of_their_own() -> None:
    """EXIF, ICC, XMP and JFIF have one; comments and segments of camera makers have not."""
    data = with_segment(encoded(image(), "JPEG", comment=b"hello", icc_profile=b"icc", xmp=b"<x/>"), 0xEC, b"Ducky")
    assert further_segments(data) == ((0xEC, b"Ducky"), (COM, b"hello"))


@pytest.mark.parametrize(("behind", "found"), [(b"", b""), (bytes(9), b""), (b"film", b"film"), (b"film\0", b"film")])
def test_the_trailer_is_what_follows_the_picture(behind: bytes, found: bytes) -> None:
    """Zeros that fill up a file are none."""
    assert trailer(PHOTO + behind) == found
