"""The decoder's warnings tell sound picture data from others."""

from __future__ import annotations

from typing import Any

import pytest
import simplejpeg
from PIL import Image

from batchcomp.images.jpeg_scans import END, layout
from batchcomp.images.jpeg_warnings import EARLY, FEW, NONSENSE, verdict
from tests.cli.samples import photo

from .make import encoded
from .test_jpeg_damage import KINDS, made

JUNK = bytes(range(1, 251))


@pytest.mark.parametrize("options", KINDS)
def test_each_kind_of_damage_is_told(options: dict[str, Any]) -> None:
    """Data that end early, data that are left over, and nothing of a sound file."""
    data = made(photo(192, 256, seed=5), **options)
    last = layout(data).scans[-1]
    assert verdict(data) == ""
    assert verdict(data[: last.end - 200] + END) == EARLY
    assert verdict(data[: last.end] + JUNK + END) == NONSENSE
    assert verdict(data[: last.end] + JUNK[:40] + END) == FEW


def test_the_picture_is_made_at_an_eighth(monkeypatch: pytest.MonkeyPatch) -> None:
    """A large file is looked at without memory for all its pixels."""
    shapes, real = list[tuple[int, ...]](), simplejpeg.decode_jpeg

    def decode_jpeg(*args: Any, **options: Any) -> Any:
        shapes.append((found := real(*args, **options)).shape)
        return found

    monkeypatch.setattr(simplejpeg, "decode_jpeg", decode_jpeg)
    assert verdict(made(photo(192, 256, seed=5))) == ""
    assert shapes == [(24, 32, 3)]


def test_grey_and_cmyk_are_read() -> None:
    """Whatever the colours."""
    pixels = photo(64, 64, seed=1)
    assert verdict(made(pixels[:, :, 0])) == ""
    assert verdict(encoded(Image.fromarray(pixels).convert("CMYK"), "JPEG", quality=90)) == ""


@pytest.mark.parametrize("data", [b"", b"\xff\xd8", b"\xff\xd8\xff\xd9", b"\xff\xd8\xff\xc0" + bytes(40)])
def test_what_cannot_be_read_is_left_to_others(data: bytes) -> None:
    """No verdict."""
    assert verdict(data) is None
