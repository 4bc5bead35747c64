"""The checks that all kinds of stored pictures share."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from batchcomp.codec import payload, plain_jpeg
from batchcomp.codec.codec import Codec
from batchcomp.codec.compact import Decoded
from batchcomp.codec.inner import base, codec_of, reader_of
from batchcomp.codec.inner.lossless import lossless
from batchcomp.errors import PayloadError
from batchcomp.images.picture import Metadata, Picture
from tests.cli.samples import photo
from tests.codec.conftest import tiny_model
from tests.needs import param

CODEC = Codec(tiny_model())
PICTURE = Picture(pixels=photo(24, 30))


def entry(kind: str) -> bytes:
    """Return `PICTURE` stored as a kind."""
    if kind == "jpeg":
        return plain_jpeg.encode(PICTURE.pixels, 90)
    if kind in {"webp", "png"}:
        flat = Picture(pixels=np.full_like(PICTURE.pixels, 7))
        found = lossless(flat, 10**6)
        assert found is not None
        return found[1]
    return CODEC.compress(PICTURE, 50, "avif" if kind == "compact-avif" else "jpeg")


KINDS = ["compact", param("compact-avif", "avif"), "jpeg", param("webp", "webp")]


@pytest.mark.parametrize("kind", KINDS)
def test_an_entry_is_read_at_its_size_only(kind: str) -> None:
    """A reader gives a picture, or what RecCNN makes one of, and refuses an entry of another size."""
    data = entry(kind)
    found = reader_of(kind).read(data, (30, 24))
    if isinstance(found, Decoded):
        assert (found.header.width, found.header.height) == (30, 24)
    else:
        assert (found.width, found.height) == (30, 24)
    with pytest.raises(PayloadError):
        reader_of(kind).read(data, (30, 25))


@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_entry_is_a_payload_error(kind: str) -> None:
    """Cut short or without its beginning, an entry is one kind of error."""
    data = entry(kind)
    for broken in (data[: len(data) // 3], data[10:], b""):
        with pytest.raises(PayloadError):
            reader_of(kind).read(broken, (30, 24))


@pytest.mark.parametrize("kind", ["compact", "jpeg"])
def test_a_damaged_alpha_channel_is_a_payload_error(kind: str) -> None:
    """Alpha travels as metadata, and is checked where the entry is read."""
    metadata = Metadata(alpha=b"no PNG")
    picture = replace(PICTURE, metadata=metadata)
    data = plain_jpeg.encode(picture.pixels, 50, metadata) if kind == "jpeg" else CODEC.compress(picture, 50)
    with pytest.raises(PayloadError, match="alpha"):
        reader_of(kind).read(data, (30, 24))


def test_a_header_that_disagrees_on_colour_is_refused() -> None:
    """A colour payload whose header says grey is damaged."""
    (compact,) = CODEC.compact([PICTURE], 50)
    data = CODEC.encode(replace(compact, header=replace(compact.header, grey=True)))
    with pytest.raises(PayloadError, match="disagree on colour"):
        base.decoded(codec_of(data), data)


def test_a_header_that_claims_gigapixels_is_refused() -> None:
    """No memory is taken for what no honest payload holds."""
    (compact,) = CODEC.compact([PICTURE], 50)
    forged = replace(compact.header, width=100_000, height=100_000)
    data = CODEC.encode(replace(compact, header=forged))
    assert payload.parse(data) == forged
    with pytest.raises(PayloadError, match="may be forged"):
        base.decoded(codec_of(data), data)
