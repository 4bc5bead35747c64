"""AVIF as inner codec."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, features

from batchcomp.codec import payload
from batchcomp.codec.codec import Codec
from batchcomp.codec.compact import Compact
from batchcomp.codec.inner import avif, inner_codec
from batchcomp.errors import PayloadError, UsageError
from batchcomp.images.picture import Metadata, Picture
from batchcomp.settings import CompressSettings
from tests.cli.samples import photo
from tests.codec.conftest import tiny_model
from tests.needs import needs

CODEC = Codec(tiny_model())


@needs("avif")
def test_a_plain_avif_is_no_payload() -> None:
    """Without our box an AVIF is somebody else's."""
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, "AVIF")
    with pytest.raises(PayloadError, match="plain AVIF"):
        Codec.decode(buffer.getvalue())


def test_avif_keeps_out_what_its_decoders_refuse() -> None:
    """A side beyond libavif's limit is an OSError, as JPEG's is; nothing is stored that cannot be read."""
    compact = Compact(
        pixels=np.zeros((1, 40_000, 3), np.uint8),
        header=payload.PayloadHeader(width=80_000, height=2, scale=2, quality=50, model=bytes(4), grey=False),
        tables=np.ones((2, 8, 8), np.int64),
        metadata=Metadata(),
        quality=50,
    )
    with pytest.raises(OSError, match="40000x1"):
        avif.Avif().encode(compact)


def test_avif_levels_never_fall() -> None:
    """The dial is monotone and reaches from coarse to nearly lossless; the network quality fits the header."""
    positions = [sum(avif.level_of(q / 4)) for q in range(4, 401)]
    assert positions == sorted(positions)
    assert 0 <= positions[0] < 25
    assert 60 < positions[-1] < 63
    assert all(1 <= avif.Avif().network_quality(q / 4) <= 100 for q in range(4, 401))


@needs("avif")
def test_our_box_is_skipped_by_the_standard() -> None:
    """The header stands in a `uuid` box behind the picture, so no offset in the file moves."""
    data = CODEC.compress(Picture(pixels=photo(24, 30)), 50, "avif")
    boxes = list(avif._boxes(data))
    kind, start, end = boxes[-1]
    assert (kind, end) == (b"uuid", len(data))
    assert struct.unpack_from(">I", data, start)[0] == 24 + 17
    assert [kind for kind, _, _ in boxes[:-1]] == [b"ftyp", b"meta", b"mdat"]


def test_a_build_without_avif_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Compressing is refused before it begins, and a payload is not called damaged."""
    monkeypatch.setattr(features, "check", lambda part: part != "avif")
    with pytest.raises(UsageError, match="this build of PIL lacks AVIF; install pillow"):
        CompressSettings(paths=(tmp_path,), archive=tmp_path / "a.bca", codec="avif")
    monkeypatch.setattr(avif.AvifImagePlugin, "SUPPORTED", False)
    with pytest.raises(PayloadError, match="an AVIF, which this build of PIL lacks; install pillow"):
        inner_codec("avif").decode(b"", expected=(1, 1))
