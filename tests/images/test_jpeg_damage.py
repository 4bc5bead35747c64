"""Damage that libjpeg conceals is found, and sound files are not called damaged."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image

from batchcomp.errors import PictureError, UnsupportedPictureError
from batchcomp.images import jpeg_warnings
from batchcomp.images.jpeg_damage import GAPS, Soundness, examine
from batchcomp.images.jpeg_scans import END, layout, with_end
from batchcomp.images.jpeg_warnings import EARLY, NONSENSE
from batchcomp.images.load import decode_picture
from tests.cli.samples import photo

from .make import encoded

KINDS: list[dict[str, Any]] = [
    {}, {"progressive": True}, {"restart_marker_rows": 1}, {"restart_marker_blocks": 7}, {"subsampling": 0},
]  # fmt: skip


def made(pixels: Any, **options: Any) -> bytes:
    return encoded(Image.fromarray(pixels), "JPEG", **{"quality": 90, **options})


@pytest.mark.parametrize("options", KINDS)
@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_what_is_cut_off_is_said(options: dict[str, Any], share: float) -> None:
    """With and without an EOI behind the cut, or with zeros in place of the rest."""
    data = made(photo(192, 256, seed=5), **options)
    start = layout(data).scans[0].start
    cut = start + int((len(data) - start) * share)
    for bad in (data[:cut], data[:cut] + END, data[:cut] + bytes(len(data) - cut)):
        with pytest.raises(PictureError, match=r"(truncated|damaged) JPEG") as caught:
            decode_picture(bad, "a.jpg")
        assert not isinstance(caught.value, UnsupportedPictureError)


@pytest.mark.parametrize("options", KINDS)
def test_by_trial_too(options: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the decoder's warnings tell nothing, as of rare samplings of colours."""
    monkeypatch.setattr(jpeg_warnings, "verdict", lambda _data: None)
    data = made(photo(192, 256, seed=5), **options)
    last = layout(data).scans[-1]
    assert examine(*with_end(data)) == Soundness()
    assert examine(*with_end(data[:-2])) == Soundness()
    for bad in (data[: last.end - 200] + END, data[: last.end] + bytes(range(1, 251)) + END):
        assert examine(*with_end(bad)).damage in {EARLY, NONSENSE, GAPS}


@pytest.mark.parametrize("options", KINDS)
@pytest.mark.parametrize("grey", [False, True])
def test_sound_files_are_taken_even_without_their_eoi(options: dict[str, Any], grey: bool) -> None:
    """The picture is all there: photos, blank pages and single pixels."""
    for pixels in (photo(192, 256, seed=5), np.full((100, 90, 3), 255, np.uint8), np.zeros((1, 1, 3), np.uint8)):
        data = made(pixels[:, :, 0] if grey else pixels, **options)
        whole = decode_picture(data, "a.jpg")
        assert np.array_equal(decode_picture(data[:-2], "a.jpg").pixels, whole.pixels)


def test_a_missing_scan_is_said() -> None:
    """A progressive file without its last scan looks a little coarser, and that is all a viewer shows."""
    data = made(photo(192, 256, seed=5), progressive=True)
    last = layout(data).scans[-2].end
    with pytest.raises(PictureError, match="a scan is missing"):
        decode_picture(data[:last] + END, "a.jpg")


@pytest.mark.parametrize(("told", "count"), [(True, 1), (True, 7), (True, 8), (True, 40), (False, 8), (False, 40)])
@pytest.mark.parametrize("options", KINDS)
def test_bytes_behind_the_last_pixel_are_said(
    options: dict[str, Any], count: int, monkeypatch: pytest.MonkeyPatch, *, told: bool
) -> None:
    """Few of them, which no decoder warns of, or which some writers would leave: the file is stored as it is."""
    if not told:
        monkeypatch.setattr(jpeg_warnings, "verdict", lambda _data: None)
    data = made(photo(192, 256, seed=5), **options)
    end = layout(data).scans[-1].end
    with pytest.raises(UnsupportedPictureError, match="bytes after the last pixel"):
        decode_picture(data[:end] + bytes(range(1, count + 1)) + data[end:], "a.jpg")


@pytest.mark.parametrize("count", [1, 8, 40])
@pytest.mark.parametrize("share", [0.0, 0.5, 0.9])
def test_bytes_behind_any_scan_are_said(count: int, share: float) -> None:
    """Each scan of a progressive picture has an end."""
    data = made(photo(192, 256, seed=5), progressive=True)
    scans = layout(data).scans
    end = scans[int(share * len(scans))].end
    assert examine(*with_end(data)) == Soundness()
    assert examine(*with_end(data[:end] + b"\1" * count + data[end:])) == Soundness(surplus=True)


def test_fill_bytes_are_no_data() -> None:
    """Any number of FF may stand in front of a marker (T.81, B.1.1.2)."""
    data = made(photo(192, 256, seed=5))
    assert decode_picture(data[:-2] + b"\xff" * 9 + data[-2:], "a.jpg").width == 256
