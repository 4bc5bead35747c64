"""Pillow's warnings are ignored inside, and only there."""

from __future__ import annotations

import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest

from batchcomp.errors import UnsupportedPictureError
from batchcomp.images.load import decode_picture

from .make import png


def test_warnings_of_pillow_stay_inside_and_filters_are_restored() -> None:
    """An APNG header that makes Pillow warn, read by four threads under `-W error`."""
    data = png((1, 1), 8, 2, bytes(4), [(b"acTL", bytes(8))])
    before = list(warnings.filters)

    def refused(_: int) -> bool:
        with pytest.raises(UnsupportedPictureError, match="acTL"):
            decode_picture(data, "a")
        return True

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(refused, range(40)))
    assert list(warnings.filters) == before
