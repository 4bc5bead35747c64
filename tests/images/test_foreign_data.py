"""Whatever a container holds beside its picture is carried, or keeps the source as it is."""

from __future__ import annotations

import struct
import zlib
from functools import cache

import pillow_heif
import pillow_jxl  # noqa: F401 - registers what writes JPEG XL
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import features

from batchcomp.errors import UnsupportedPictureError
from batchcomp.images.load import decode_picture
from tests.needs import needs, param

from .make import encoded, image, png, with_segment

pillow_heif.register_heif_opener()


@cache
def plain(kind: str) -> bytes:
    """Return a file that the codec carries."""
    return encoded(image(), kind.removeprefix("bare "), **({"use_container": True} if kind == "JXL" else {}))


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", len(content) + 8, kind) + content


def with_chunk(data: bytes, kind: bytes, content: bytes) -> bytes:
    chunk = struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
    return data[:33] + chunk + data[33:]


def with_riff(data: bytes, kind: bytes, content: bytes) -> bytes:
    body = data[8:] + kind + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def check(data: bytes, content: bytes) -> None:
    """The source is kept as it is, or `content` is among what is carried."""
    try:
        found = decode_picture(data, "a.img").metadata
    except UnsupportedPictureError:
        return
    everything = [found.trailer, *(part for _, part in (*found.segments, *found.chunks))]
    assert any(content in part for part in everything)


CONTENT = st.binary(min_size=9, max_size=60).map(lambda content: b"\1" + content + b"\1")
LETTERS = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=4, max_size=4).map(str.encode)
KINDS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "PPM", "AVIF", "HEIF", "JXL", "bare JXL")
PARTS = {"WEBP": ("webp",), "AVIF": ("avif",)}  # of PIL, that it can be built without
TAILED = [param(kind, *PARTS.get(kind, ())) for kind in KINDS]
THERE = [kind for kind in KINDS if all(map(features.check, PARTS.get(kind, ())))]


def tries(runs: int) -> object:
    """Return how the properties are run: quickly in each run of the tests, at length with `-m long`."""
    return settings(max_examples=runs, deadline=None, derandomize=True, database=None)


def foreign(kind: str, name: bytes, content: bytes) -> bytes:
    """Return a file with an unknown part."""
    data = plain(kind)
    if kind == "JPEG":
        return with_segment(data, 0xE3 + name[0] % 13, name + content)
    if kind == "PNG":
        return with_chunk(data, name[:1].lower() + name[1:2] + name[2:3].upper() + name[3:], content)
    if kind == "WEBP":
        return with_riff(data, name, content)
    return data + (content if kind.startswith("bare") else box(name, content))


def in_the_data(data: bytes, kind: bytes, content: bytes) -> bytes:
    """Return a file with `content` at the end of its last box, which is of this kind."""
    at = data.rindex(kind) - 4
    (size,) = struct.unpack_from(">I", data, at)
    assert size in {0, len(data) - at}
    return data[:at] + struct.pack(">I", len(data) - at + len(content)) + data[at + 4 :] + content


@pytest.mark.parametrize("kind", TAILED)
@tries(12)
@given(content=CONTENT)
def test_a_tail_is_found_again(kind: str, content: bytes) -> None:
    """Behind every kind of picture."""
    check(plain(kind) + content, content)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", param("WEBP", "webp"), param("AVIF", "avif"), "HEIF", "JXL"])
@tries(12)
@given(name=LETTERS, content=CONTENT)
def test_an_unknown_part_is_found_again(kind: str, name: bytes, content: bytes) -> None:
    """A segment, chunk or box that nobody has heard of."""
    check(foreign(kind, name, content), content)


@pytest.mark.parametrize(
    ("kind", "last"),
    [pytest.param("AVIF", b"mdat", marks=needs("avif")), ("HEIF", b"mdat"), ("JXL", b"jxlc"), ("bare JXL", b"")],
)
@tries(12)
@given(content=CONTENT)
def test_what_stands_in_the_data_is_found_again(kind: str, last: bytes, content: bytes) -> None:
    """Bytes that belong to no item, or that stand behind the picture in its own box."""
    data = plain(kind) + content if not last else in_the_data(plain(kind), last, content)
    with pytest.raises(UnsupportedPictureError, match=r"bytes that belong to no item|bytes after the picture"):
        decode_picture(data, "a.img")
    zeros = plain(kind) + bytes(9) if not last else in_the_data(plain(kind), last, bytes(9))
    assert decode_picture(zeros, "a.img").width == 40


def behind_pixels(kind: str, content: bytes) -> bytes:
    """Return a file with `content` where its pixels end, inside the part that holds them."""
    data = plain(kind.split(maxsplit=1)[0])
    if kind == "WEBP":
        size = int.from_bytes(data[16:20], "little")
        return with_riff(data[:12], data[12:16], data[20 : 20 + size] + content)
    start, end = data.index(b"IDAT") - 4, data.index(b"IEND") - 4
    if kind == "PNG more":
        packed = zlib.decompress(data[start + 8 : end - 4])
        return with_chunk(data[:start] + data[end:], b"IDAT", zlib.compress(packed + content))
    if kind == "PNG inside":
        return with_chunk(data[:start] + data[end:], b"IDAT", data[start + 8 : end - 4] + content)
    last = with_chunk(data[:33], b"IEND" if kind == "PNG end" else b"IDAT", content)[33:]
    return data[:end] + last + (b"" if kind == "PNG end" else data[end:])


@pytest.mark.parametrize("kind", [param("WEBP", "webp"), "PNG more", "PNG inside", "PNG chunk", "PNG end"])
@tries(12)
@given(content=CONTENT)
def test_what_stands_behind_the_pixels_is_found_again(kind: str, content: bytes) -> None:
    """Where no decoder looks: behind the end of a bitstream, in further chunks, in the chunk that ends the file."""
    with pytest.raises(UnsupportedPictureError, match="bytes after the last pixel"):
        decode_picture(behind_pixels(kind, content), "a.img")


@pytest.mark.long
@tries(10_000)
@given(kind=st.sampled_from(THERE), name=LETTERS, content=CONTENT, tail=st.booleans())
def test_ten_thousand_foreign_parts_are_found_again(kind: str, name: bytes, content: bytes, tail: bool) -> None:
    """The two above, at length."""
    check(plain(kind) + content if tail else foreign(kind, name, content), content)


@pytest.mark.parametrize("kind", TAILED)
def test_a_plain_file_is_carried(kind: str) -> None:
    """The lists know all that ordinary files hold."""
    assert decode_picture(plain(kind), "a.img").width == 40


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (lambda: with_chunk(plain("PNG"), b"caBX", b"jumb"), "signed content credentials"),
        pytest.param(
            lambda: with_riff(plain("WEBP"), b"C2PA", b"jumb"), "signed content credentials", marks=needs("webp")
        ),
        (lambda: plain("HEIF") + box(b"uuid", bytes.fromhex("d8fec3d61b0e483c92975828877ec481")), "credentials"),
        (lambda: plain("HEIF") + box(b"mpvd", b"film"), "motion photo"),
        pytest.param(lambda: plain("AVIF") + box(b"uuid", bytes(20)), "box uuid", marks=needs("avif")),
        (lambda: plain("PNG") + b"more", "4 bytes after the picture"),
        (lambda: plain("PPM") * 2, "bytes after the picture"),
        (lambda: b"P6\n# me\n1 1\n255\n" + bytes(3), "comments"),
        (lambda: with_segment(plain("JPEG"), 0xEA, b"bcal\0x"), "batchcomp itself"),
    ],
)
def test_reasons_say_what_it_is(data: object, reason: str) -> None:
    """In plain words, for the manifest."""
    with pytest.raises(UnsupportedPictureError, match=reason):
        decode_picture(data(), "a.img")  # type: ignore[operator]


def test_chunks_that_hold_for_the_restored_picture_are_carried() -> None:
    """Offsets, scale, stereo, background and the shape of pixels are kept and need no verbatim copy."""
    more = [(b"oFFs", bytes(9)), (b"sCAL", b"\0011\0001"), (b"sTER", b"\0"), (b"bKGD", bytes(6))]
    more.append((b"pHYs", struct.pack(">IIB", 2, 3, 0)))
    assert decode_picture(png((1, 1), 8, 2, bytes(4), more), "a.png").metadata.chunks == tuple(more)


def test_app13_of_another_kind_is_carried() -> None:
    """Only the segment of APP14 that says how colours are transformed is written anew."""
    found = decode_picture(with_segment(plain("JPEG"), 0xED, b"Adobe_Photoshop2.5:8BIM"), "a.jpg")
    assert found.metadata.segments == ((0xED, b"Adobe_Photoshop2.5:8BIM"),)
