"""The partitions of a lossy WebP are found, and put together again."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from batchcomp.images.riff import chunks
from batchcomp.images.vp8_frame import partitions, with_partition
from tests.needs import needs

from .make import encoded, image


def frame_of(data: bytes) -> bytes:
    return next(data[start:end] for kind, start, end in chunks(data) if kind == b"VP8 ")


@needs("webp")
@pytest.mark.parametrize("size", [(1, 1), (40, 30), (257, 129)])
@pytest.mark.parametrize("quality", [1, 50, 100])
def test_partitions_make_the_frame(size: tuple[int, int], quality: int) -> None:
    """Behind the ten bytes of its head."""
    frame = frame_of(encoded(image("RGB", size), "WEBP", quality=quality))
    found = partitions(frame)
    assert len(found) == 2  # what libwebp writes unless it is asked
    assert frame[:10] + b"".join(found) == frame
    assert with_partition(frame, 0, found[0]) == frame


@needs("webp")
def test_another_first_partition_moves_the_others() -> None:
    """A longer one is the same picture."""
    data = encoded(image("RGB", (40, 30)), "WEBP", quality=80)
    longer = with_partition(frame_of(data), 0, partitions(frame_of(data))[0] + b"secret")
    assert partitions(longer)[1] == partitions(frame_of(data))[1]
    body = b"WEBPVP8 " + len(longer).to_bytes(4, "little") + longer + bytes(len(longer) % 2)
    found = Image.open(io.BytesIO(b"RIFF" + len(body).to_bytes(4, "little") + body))
    assert found.convert("RGB").tobytes() == Image.open(io.BytesIO(data)).convert("RGB").tobytes()


@pytest.mark.parametrize("frame", [b"", bytes(9), b"\1" * 40, b"\xfe\xff\xff" + bytes(40)])
def test_what_is_no_key_frame(frame: bytes) -> None:
    """Its sizes lead out of it."""
    with pytest.raises(ValueError, match="no key frame"):
        partitions(frame)


def test_partitions_that_lead_out_of_the_frame() -> None:
    """Its first one asks for eight others, of 16 MB each."""
    frame = (4 << 5).to_bytes(3, "little") + bytes(7) + bytes.fromhex("c5d71484") + b"\xff" * 21
    with pytest.raises(ValueError, match="leads out"):
        partitions(frame)
