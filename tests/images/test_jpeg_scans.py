"""Where the scans of a JPEG file lie, and what they hold."""

from __future__ import annotations

from batchcomp.images.jpeg_scans import END, layout, with_end
from tests.cli.samples import photo

from .test_jpeg_damage import made


def test_the_scans_of_a_progressive_picture() -> None:
    """The first has the mean of each block, of all colours; together they lead from one end to the other."""
    data = made(photo(96, 64, seed=5), progressive=True)
    found = layout(data)
    assert found.frame is not None
    assert (found.frame.width, found.frame.height, found.frame.precision) == (64, 96, 8)
    assert len(found.scans) == 10
    assert (found.scans[0].components, found.scans[0].band) == ((1, 2, 3), (0, 0))
    assert all(data[scan.end : scan.end + 1] == b"\xff" for scan in found.scans)
    assert found.scans[-1].end == len(data) - 2
    assert (found.end, found.ended, found.late) == (len(data), True, False)


def test_a_missing_end_is_put_there() -> None:
    """And remembered, since such a file is looked at more closely."""
    data = made(photo(96, 64, seed=5))
    assert with_end(data) == (data, layout(data))
    for cut in (data[:-2], data[:-1]):
        whole, found = with_end(cut)
        assert whole == data
        assert not found.ended
    assert not layout(data[:-2] + b"\0" + END[:1]).ended
