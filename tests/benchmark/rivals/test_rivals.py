"""Every rival is a codec whose dial turns the way it says."""

from __future__ import annotations

import numpy as np
import pytest

from batchcomp import benchmark
from batchcomp.benchmark.rivals import RIVALS, every, make_rivals
from batchcomp.errors import UsageError
from batchcomp.metrics.ms_ssim import ms_ssim
from tests.benchmark.samples import photo


@pytest.mark.parametrize("name", RIVALS)
def test_more_quality_is_more_bytes_and_less_error(name: str) -> None:
    """The qualities of a rival rise in bytes and fall in error, and pictures keep their size."""
    (rival,) = make_rivals([name])
    rgb = photo(33, 46)
    dial = rival.qualities[0], rival.qualities[len(rival.qualities) // 2], rival.qualities[-1]
    files = [rival.encode(rgb, quality) for quality in dial]
    decoded = [rival.decode(data) for data in files]
    errors = [float(np.square(rgb - pixels.astype(float)).mean()) for pixels in decoded]
    assert all(pixels.shape == rgb.shape and pixels.dtype == np.uint8 for pixels in decoded)
    assert sorted({len(data) for data in files}) == [len(data) for data in files]
    assert errors == sorted(errors, reverse=True)


def test_an_unknown_rival_is_named_with_those_there_are() -> None:
    """The message lists all rivals."""
    with pytest.raises(UsageError, match=r"rival 'bpg': expected one of jpeg, mozjpeg, .*avif speed 4, .*, or all"):
        make_rivals(["jpeg", "bpg"])


def test_speeds_have_names_and_all_is_each_once() -> None:
    """`avif speed 9` is a rival too; `all` has each speed once, the usual one under the codec's own name."""
    (quick,) = make_rivals(["avif speed 9"])
    assert (quick.name, getattr(quick, "speed", None)) == ("avif speed 9", 9)
    whole = every(["jpeg", "all"])
    assert len(set(whole)) == len(whole)
    assert {"jpeg", "mozjpeg", "avif", "avif speed 4", "avif speed 9", "jpegxl effort 3", "svt-av1 preset 9"} <= set(
        whole
    )
    assert not {"avif speed 6", "webp method 6", "jpegxl effort 7", "svt-av1 preset 6"} & set(whole)


def test_what_a_rival_needs_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A package that is missing is one line that says what to install."""
    monkeypatch.setitem(RIVALS, "none", "batchcomp.benchmark.rivals.no_such_module:Rival")
    with pytest.raises(UsageError, match=r"none: needs .*no_such_module: run pip install 'batchcomp\[bench\]'"):
        make_rivals(["none"])


def test_trellis_takes_fewer_bytes_than_plain_jpeg() -> None:
    """At the MS-SSIM of plain JPEG, MozJPEG and jpegli need fewer bytes for a photo-like picture."""
    rgb = photo(176, 192)
    plain, trellis = make_rivals(["jpeg", "mozjpeg"])
    data = plain.encode(rgb, 62)
    wanted = ms_ssim(plain.decode(data), rgb)
    files = [trellis.encode(rgb, quality) for quality in trellis.qualities]
    enough = [len(file) for file in files if ms_ssim(trellis.decode(file), rgb) >= wanted]
    assert min(enough) < len(data)


def test_another_libjpeg_is_not_taken_for_mozjpeg(monkeypatch: pytest.MonkeyPatch) -> None:
    """A libvips of the system may ignore what is asked of it."""
    monkeypatch.setattr("batchcomp.benchmark.rivals.mozjpeg._there", lambda: False)
    (rival,) = make_rivals(["mozjpeg"])
    with pytest.raises(UsageError, match="another libjpeg"):
        rival.encode(photo(), 50)


def test_a_missing_package_is_one_line_that_says_what_to_install() -> None:
    """Without the extra `[bench]` the message names the package and the command."""
    with pytest.raises(UsageError, match=r"^the benchmark needs no_such_codec: run pip install 'batchcomp\[bench\]'$"):
        benchmark.check_packages(("numpy", "no_such_codec"))


def test_a_line_adds_a_rival(monkeypatch: pytest.MonkeyPatch) -> None:
    """A class and its line in the table are all that a benchmark needs."""
    monkeypatch.setitem(RIVALS, "twin", "batchcomp.benchmark.rivals.jpeg:JpegRival")
    (twin,) = make_rivals(["twin"], threads=3)
    assert twin.name == "jpeg"
