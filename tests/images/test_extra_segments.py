"""A JPEG carries what JPEG has no place for, and gives it back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchcomp.images.extra_segments import PIECE, from_segments, insert, size_of_segments, to_segments
from batchcomp.images.picture import Metadata

from .make import encoded, image, with_segment

PHOTO = encoded(image(), "JPEG")
FULL = Metadata(
    segments=((0xFE, b"a comment"), (0xED, b"Photoshop 3.0\0rest")),
    chunks=((b"tEXt", b"Author\0me"), (b"tIME", bytes(7))),
    trailer=b"behind",
    alpha=b"a PNG",
)


def test_everything_comes_back() -> None:
    """Segments, chunks, trailer and alpha are the same, and the picture's own segments stay first."""
    data = insert(PHOTO, FULL)
    assert from_segments(data, Metadata()) == FULL
    assert data.startswith(PHOTO[:20])
    assert size_of_segments(data) == len(to_segments(FULL)) == len(data) - len(PHOTO)


def test_nothing_costs_nothing() -> None:
    """A picture without any of it stays as it is."""
    assert insert(PHOTO, Metadata(exif=b"x")) == PHOTO
    assert size_of_segments(PHOTO) == 0


@given(st.integers(0, 3), st.integers(-1, 1))
def test_long_content_is_cut_into_pieces_and_joined(pieces: int, more: int) -> None:
    """A segment holds 64 KiB; the trailer may be longer."""
    found = Metadata(trailer=b"x" * max(0, pieces * PIECE + more))
    assert from_segments(insert(PHOTO, found), Metadata()) == found


def test_the_header_of_a_payload_is_no_metadata() -> None:
    """The APP10 segment of the codec is not given back as one of the source's."""
    assert from_segments(with_segment(PHOTO, 0xEA, b"bcmp\0rest"), Metadata()) == Metadata()


@pytest.mark.parametrize("content", [b"short", b"\0\0\0\x09tEXtcut", b"\0\0\0\x01t3Xtx"])
def test_broken_chunks_are_a_value_error(content: bytes) -> None:
    """A forged payload is damage, not a crash."""
    with pytest.raises(ValueError, match="cut off"):
        from_segments(with_segment(PHOTO, 0xEA, b"bcpn\0" + content), Metadata())
