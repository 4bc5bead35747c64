"""Every rival is a codec whose dial turns the way it says."""

from __future__ import annotations

import numpy as np
import pytest

from batchcomp import benchmark
from batchcomp.benchmark.quality import MAX_COLOURS, ciede2000, ssimulacra2
from batchcomp.benchmark.rivals import RIVALS, make_rivals
from batchcomp.benchmark.rivals.ours import OURS, Ours
from batchcomp.errors import UsageError
from tests.benchmark.samples import HalfJpeg, photo


@pytest.mark.parametrize("name", RIVALS)
def test_more_quality_is_more_bytes_and_less_error(name: str) -> None:
    (rival,) = make_rivals([name])
    rgb = photo(33, 46)
    dial = rival.qualities[0], rival.qualities[len(rival.qualities) // 2], rival.qualities[-1]
    files = [rival.encode(rgb, quality) for quality in dial]
    decoded = [rival.decode(data) for data in files]
    errors = [float(np.square(rgb - pixels.astype(float)).mean()) for pixels in decoded]
    assert all(pixels.shape == rgb.shape and pixels.dtype == np.uint8 for pixels in decoded)
    assert sorted({len(data) for data in files}) == [len(data) for data in files]
    assert errors == sorted(errors, reverse=True)


def test_our_codec_is_a_rival_too() -> None:
    ours = Ours(HalfJpeg())
    rgb = photo(35, 24)
    assert ours.decode(ours.encode(rgb, 50.0)).shape == rgb.shape
    assert ours.name == OURS


def test_an_unknown_rival_is_named_with_those_there_are() -> None:
    with pytest.raises(UsageError, match="rival 'bpg': expected one of jpeg, webp, avif, jpegxl"):
        make_rivals(["jpeg", "bpg"])


def test_a_missing_package_is_one_line_that_says_what_to_install() -> None:
    with pytest.raises(UsageError, match=r"^the benchmark needs no_such_codec: run pip install 'batchcomp\[bench\]'$"):
        benchmark.check_packages(("numpy", "no_such_codec"))


def test_ciede2000_of_nothing_and_of_a_cast() -> None:
    rgb = photo()
    assert ciede2000(rgb, rgb) == 0
    assert ciede2000(rgb, rgb // 8 * 7) > 1


def test_ciede2000_of_a_large_picture_is_sampled() -> None:
    tile = photo(64, 64)
    large = np.tile(tile, (9, 9, 1))
    assert large[:, :, 0].size > MAX_COLOURS
    assert ciede2000(large, large // 8 * 7) == pytest.approx(ciede2000(tile, tile // 8 * 7), rel=0.05)


def test_ssimulacra2_reads_pixels() -> None:
    rgb = photo(64, 64)
    assert ssimulacra2(rgb, rgb) == pytest.approx(100)
    assert ssimulacra2(rgb, rgb // 16 * 16) < 95
