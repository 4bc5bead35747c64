"""Every rival is a codec whose dial turns the way it says."""

from __future__ import annotations

import numpy as np
import pytest

from batchcomp import benchmark
from batchcomp.benchmark.rivals import RIVALS, make_rivals
from batchcomp.errors import UsageError
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
    with pytest.raises(UsageError, match="rival 'bpg': expected one of jpeg, webp, avif, jpegxl"):
        make_rivals(["jpeg", "bpg"])


def test_a_missing_package_is_one_line_that_says_what_to_install() -> None:
    """Without the extra `[bench]` the message names the package and the command."""
    with pytest.raises(UsageError, match=r"^the benchmark needs no_such_codec: run pip install 'batchcomp\[bench\]'$"):
        benchmark.check_packages(("numpy", "no_such_codec"))


def test_a_line_adds_a_rival(monkeypatch: pytest.MonkeyPatch) -> None:
    """A class and its line in the table are all that a benchmark needs."""
    monkeypatch.setitem(RIVALS, "twin", "batchcomp.benchmark.rivals.jpeg:JpegRival")
    (twin,) = make_rivals(["twin"], threads=3)
    assert twin.name == "jpeg"
