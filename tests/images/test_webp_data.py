"""Whatever a WebP file holds beside its picture is said, and nothing of a sound one."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from PIL import Image

from batchcomp.errors import UnsupportedPictureError
from batchcomp.images.load import decode_picture
from batchcomp.images.riff import chunks
from batchcomp.images.vp8_frame import partitions, with_partition
from batchcomp.images.webp_data import has_surplus
from tests.needs import needs

from .make import encoded, image

pytestmark = needs("webp")
SIZES = [(1, 1), (2, 1), (3, 7), (8, 8), (40, 30), (257, 129)]
SECRET = b"\1secret\1"
Parts = list[tuple[bytes, bytes]]


def parts(data: bytes) -> Parts:
    return [(kind, data[start:end]) for kind, start, end in chunks(data)]


def joined(found: Parts) -> bytes:
    body = b"".join(
        kind + struct.pack("<I", len(content)) + content + bytes(len(content) % 2) for kind, content in found
    )
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def lossy(mode: str = "RGB") -> bytes:
    picture = image("RGB")
    if mode == "RGBA":
        picture.putalpha(image("L"))
    return encoded(picture, "WEBP", quality=80)


def lossless() -> bytes:
    return encoded(image(), "WEBP", lossless=True)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("options", [{"quality": 1}, {"quality": 80}, {"quality": 100}, {"lossless": True}])
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_sound_files_have_nothing(size: tuple[int, int], options: dict[str, Any], mode: str) -> None:
    """Lossy or not, with alpha or without, large, small and flat."""
    assert not has_surplus(encoded(image(mode, size), "WEBP", **options))
    assert not has_surplus(encoded(Image.new(mode, size), "WEBP", **options))


@pytest.mark.parametrize("count", [4, 8])
@pytest.mark.parametrize("kind", [b"VP8 ", b"VP8L", b"ALPH"])
def test_bytes_behind_each_bitstream(kind: bytes, count: int) -> None:
    """Up to three may be an encoder's."""
    data = lossless() if kind == b"VP8L" else lossy("RGBA")
    more = joined([(one, content + SECRET[:count] * (one == kind)) for one, content in parts(data)])
    assert not has_surplus(data)
    assert has_surplus(more)
    with pytest.raises(UnsupportedPictureError, match="bytes after the last pixel"):
        decode_picture(more, "a.webp")


def test_bytes_behind_the_modes() -> None:
    """The first of a frame's partitions has an end of its own."""
    frame = dict(parts(lossy()))[b"VP8 "]
    assert has_surplus(joined([(b"VP8 ", with_partition(frame, 0, partitions(frame)[0] + SECRET))]))


def test_bytes_behind_alpha_as_it_is() -> None:
    """One byte a pixel is known to be enough."""
    data = lossy("RGBA")
    plain = bytes(1 + 40 * 30)
    for content, surplus in ((plain, False), (plain + bytes(9), False), (plain + SECRET, True)):
        assert has_surplus(joined([(k, content if k == b"ALPH" else c) for k, c in parts(data)])) is surplus


def more(found: Parts, kind: bytes) -> bytes:
    return joined([*found, (kind, SECRET)])


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (lambda: more(parts(lossy()), b"VP8L"), "VP8"),
        (lambda: more(parts(lossless()), b"VP8 "), "VP8"),
        (lambda: more(parts(lossy()), b"VP8X"), "VP8X"),
        (lambda: more(parts(lossy()), b"ALPH"), "ALPH"),
        (lambda: more(parts(lossless()), b"ALPH"), "ALPH"),
        (lambda: more(parts(lossy()), b"ABCD"), "ABCD"),
        (lambda: joined([(k, b"\0" + c[1:] if k == b"VP8X" else c) for k, c in parts(lossy("RGBA"))]), "ALPH"),
        (lambda: joined([(k, c[:2] + b"!" + c[3:] if k == b"VP8X" else c) for k, c in parts(lossy("RGBA"))]), "VP8X"),
    ],
)
def test_chunks_that_no_decoder_looks_at(data: Any, kind: str) -> None:
    """A second picture, alpha of none, an unknown part, reserved bytes."""
    with pytest.raises(UnsupportedPictureError, match=f"chunk {kind}.? that no other file holds"):
        decode_picture(data(), "a.webp")
