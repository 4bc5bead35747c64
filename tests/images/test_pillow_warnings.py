"""Pillow's warnings are ignored inside, and only there."""

from __future__ import annotations

import warnings
from concurrent.futures import ThreadPoolExecutor

import pillow_jxl  # noqa: F401 - registers what writes JPEG XL

from batchcomp.images.load import decode_picture

from .make import png


def test_warnings_of_pillow_stay_inside_and_filters_are_restored() -> None:
    """An APNG header that makes Pillow warn, read by four threads under `-W error`."""
    data = png((1, 1), 8, 2, bytes(4), [(b"acTL", bytes(8))])
    before = list(warnings.filters)
    with ThreadPoolExecutor(4) as pool:
        assert [picture.width for picture in pool.map(lambda _: decode_picture(data, "a"), range(40))] == [1] * 40
    assert list(warnings.filters) == before
