"""PNG's chunks are walked in one place, up to the end or the first damage."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from batchcomp.images.png_chunks import further_chunks, png_chunks

from .make import png

TEXT = (b"tEXt", b"Author\0me")
FILE = png((1, 1), 8, 2, bytes(4), [TEXT, (b"tIME", bytes(7)), (b"tEXt", b"Raw profile type exif\0x"), (b"prVt", b"x")])


def test_chunks_come_in_order_with_their_checksum() -> None:
    """The last one is IEND."""
    kinds = [kind for kind, _, sound in png_chunks(FILE) if sound]
    assert kinds == [b"IHDR", b"tEXt", b"tIME", b"tEXt", b"prVt", b"IDAT", b"IEND"]


def test_a_wrong_checksum_is_said() -> None:
    """The chunk is still yielded."""
    broken = FILE.replace(b"Author\0me", b"Author\0ME")
    assert [sound for kind, _, sound in png_chunks(broken) if kind == b"tEXt"] == [False, True]


def test_texts_time_and_safe_private_chunks_are_kept() -> None:
    """What has a field of `Metadata`, what is damaged, and what is unsafe to copy is not."""
    assert further_chunks(FILE) == (TEXT, (b"tIME", bytes(7)), (b"prVt", b"x"))
    assert further_chunks(png((1, 1), 8, 2, bytes(4), [(b"prVT", b"unsafe"), (b"PrVt", b"critical")])) == ()
    assert further_chunks(FILE.replace(b"Author\0me", b"Author\0ME")) == ((b"tIME", bytes(7)), (b"prVt", b"x"))


@given(st.binary(max_size=80))
def test_hostile_bytes_end_the_walk(rest: bytes) -> None:
    """No length and no type can do more."""
    assert all(len(kind) == 4 for kind, _, _ in png_chunks(FILE[:8] + rest))
