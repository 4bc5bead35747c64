"""Lines of one colour along the edges go beside the picture."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from batchcomp.codec import edge_lines, pack, payload
from batchcomp.codec.codec import Codec
from batchcomp.codec.edge_lines import BOTTOM, LEAST_SIDE, LEFT, MOST_LINES, RIGHT, TOP, Run, runs_of
from batchcomp.errors import PayloadError
from batchcomp.images.picture import Metadata, Picture, Pixels
from tests.cli.samples import photo
from tests.codec.samples import noise

GREY, BLACK = bytes((99, 99, 99)), bytes(3)


def scan(height: int = 120, width: int = 150) -> Pixels:
    """A photo with a frame as scanners leave it: grey columns and a grey row on top, a black row below."""
    pixels = photo(height, width)
    pixels[:1] = pixels[:, :3] = pixels[:, -2:] = 99
    pixels[-1:] = 0
    return pixels


def test_a_scans_frame_is_found() -> None:
    """Outermost first; columns that end in the black row count once that is off; at the top and on the left even."""
    found = runs_of(scan())
    assert edge_lines.counts(found) == (0, 1, 2, 2)
    assert found[:2] == (Run(side=BOTTOM, count=1, colour=BLACK), Run(side=LEFT, count=2, colour=GREY))
    assert np.array_equal(edge_lines.without(scan(), found), scan()[:-1, 2:-2])


def test_lines_of_several_colours_lie_side_by_side() -> None:
    pixels = noise(100, 90, 3)
    pixels[:1], pixels[1:5] = (1, 2, 3), (4, 5, 6)
    assert runs_of(pixels) == (
        Run(side=TOP, count=1, colour=bytes((1, 2, 3))),
        Run(side=TOP, count=3, colour=bytes((4, 5, 6))),
    )


def test_grey_pictures_have_lines_too() -> None:
    pixels = noise(80, 80, 1)
    pixels[:, :MOST_LINES] = 7
    assert runs_of(pixels) == (Run(side=LEFT, count=MOST_LINES, colour=b"\7"),)


@pytest.mark.parametrize("side", [TOP, BOTTOM, LEFT, RIGHT])
def test_wide_bars_stay(side: int) -> None:
    """Half size holds them, and viewers should show them; a line outside them goes all the same."""
    pixels = noise(100, 100, 3)
    turned = edge_lines._lines(pixels, side)
    turned[: MOST_LINES + 1] = 20
    assert runs_of(pixels) == ()
    turned[:2] = 30
    turned[MOST_LINES + 1 : MOST_LINES + 3] = 20
    assert runs_of(pixels) == ((Run(side=side, count=2, colour=bytes((30, 30, 30)))),)


def test_what_is_no_line_stays() -> None:
    """One pixel of another colour; a picture of one colour; a small one."""
    pixels = scan()
    pixels[0, 70, 1] += 1
    pixels[-1, 5, 0] = 1
    assert runs_of(pixels) == ()
    assert runs_of(np.full((90, 90, 3), 255, np.uint8)) == ()
    small = noise(LEAST_SIDE - 1, 200, 3)
    small[:2] = 0
    assert runs_of(small) == ()


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 4), st.binary(min_size=3, max_size=3)), max_size=6))
def test_lines_come_back(drawn: list[tuple[int, int, bytes]]) -> None:
    """Whatever their order, sides and colours: what is found gives the picture back."""
    runs = tuple(Run(side=side, count=count, colour=colour) for side, count, colour in drawn)
    pixels = edge_lines.put_back(noise(64, 70, 3), runs)
    found = runs_of(pixels)
    assert np.array_equal(edge_lines.put_back(edge_lines.without(pixels, found), found), pixels)
    if found:
        assert edge_lines.from_bytes(edge_lines.to_bytes(found), 3) == found


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("quality", [40, 95])
def test_payloads_give_the_lines_back_exactly(codec: Codec, quality: float, channels: int) -> None:
    """At any quality, and without their neighbours' suffering; the compact picture is that of what is inside."""
    pixels = scan()[:, :, :channels]
    (compact,) = codec.compact([Picture(pixels=pixels)], quality)
    data = codec.encode(compact)
    restored = codec.restore(data).pixels
    assert restored.shape == pixels.shape
    inside = np.zeros(pixels.shape[:2], bool)
    inside[:-1, 2:-2] = True
    assert np.array_equal(restored[~inside], pixels[~inside])
    header = payload.parse(data)
    assert (header.width, header.height) == (150, 120)
    assert header.inner_size == (146, 119)
    with Image.open(io.BytesIO(data)) as shown:
        assert shown.size == header.compact_size
    cut = codec.restore(codec.compress(Picture(pixels=np.ascontiguousarray(pixels[:-1, 2:-2])), quality)).pixels
    assert np.array_equal(restored[:-1, 2:-2], cut)


def test_packed_and_refined_pictures_have_them_too(codec: Codec) -> None:
    pytest.importorskip("constriction")
    pixels = np.pad(scan(200, 230), [(2, 0), (0, 0), (0, 0)], constant_values=200)
    (compact,) = codec.compact([Picture(pixels=pixels)], 50, effort=2)
    found = compact.coefficients
    data = codec.encode(compact)
    small = pack.pack(data, found, compact.tables)
    assert small is not None
    assert pack.unpack(small) == data
    assert np.array_equal(codec.restore(small).pixels, codec.restore(data).pixels)
    assert np.array_equal(codec.restore(data).pixels[0], pixels[0])


def test_pictures_with_alpha_keep_their_lines(codec: Codec) -> None:
    """The channel is laid over the compact picture as well."""
    alpha = io.BytesIO()
    Image.fromarray(np.full((120, 150), 128, np.uint8)).save(alpha, "PNG")
    (compact,) = codec.compact([Picture(pixels=scan(), metadata=Metadata(alpha=alpha.getvalue()))], 50)
    assert compact.header.lines == ()


def test_rows_are_given_back_with_the_lines_above_them(codec: Codec) -> None:
    """Rows of the picture, not of what is inside."""
    given_back: list[int] = []
    codec.compact([Picture(pixels=scan(), give_back=given_back.append)], 50, keep=False)
    assert given_back[-1] == 119


@pytest.mark.parametrize(
    "lines",
    [
        b"",
        b"\0",
        b"\1",
        b"\1\0abc",
        b"\1\x09abc",
        b"\2\5abc\4abc",
        b"\1\1ab",
        b"\1\1abcd",
        b"\2\1abc",
    ],
)
def test_forged_lines_are_refused(lines: bytes) -> None:
    """None, none of a run, too many, cut short, too long."""
    header = payload.PayloadHeader(width=80, height=80, scale=2, quality=50, model=b"abcd", grey=False)
    content = bytearray(payload.content_of(header) + lines)
    content[6] |= payload.LINED
    with pytest.raises(PayloadError, match="makes no sense"):
        payload.header_of(bytes(content))
