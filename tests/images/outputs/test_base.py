"""What a picture carries is named in one place, and each format says what of it it holds."""

from __future__ import annotations

import pytest

from batchcomp.images.outputs import left_out, output_format
from batchcomp.images.outputs.base import CHUNKS, COMMENTS, DENSITY, GREY, IPTC, SEGMENTS, TRAILER, carried
from batchcomp.images.picture import Metadata, Picture
from batchcomp.outputs import OUTPUTS, output_for
from tests.images.make import noise

EVERYTHING = Picture(
    pixels=noise(2, 2, 1),
    metadata=Metadata(
        dpi=(300, 300), segments=((0xFE, b"hi"), (0xED, b"Photoshop 3.0\0x"), (0xEC, b"maker")),
        chunks=((b"tEXt", b"a\0b"),), trailer=b"behind",
    ),
)  # fmt: skip


def test_everything_is_named_once() -> None:
    """The words are those that `decode` prints."""
    assert list(carried(EVERYTHING)) == [IPTC, COMMENTS, SEGMENTS, TRAILER, CHUNKS, DENSITY, GREY]
    assert list(carried(Picture(pixels=noise(2, 2)))) == []


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        ("png", (SEGMENTS, TRAILER)),
        ("jpeg", (CHUNKS,)),
        ("webp", (IPTC, COMMENTS, SEGMENTS, TRAILER, CHUNKS, DENSITY, GREY)),
        ("avif", (IPTC, COMMENTS, SEGMENTS, TRAILER, CHUNKS, DENSITY)),
        ("jxl", (IPTC, COMMENTS, SEGMENTS, TRAILER, CHUNKS, DENSITY)),
    ],
)
def test_a_format_leaves_out_what_it_has_no_place_for(name: str, missing: tuple[str, ...]) -> None:
    """As the table in docs/formats.md says."""
    assert left_out(EVERYTHING, name) == missing


@pytest.mark.parametrize("name", OUTPUTS)
def test_every_line_of_the_table_leads_to_a_writer(name: str) -> None:
    """A new format is a line and the file that it names."""
    assert output_format(name).max_side > 16_000
    assert output_format(name) is output_format(name)
    assert OUTPUTS[name].suffix.startswith(".")


def test_pictures_with_alpha_become_png_where_a_format_has_none() -> None:
    """Nothing else changes the format that was asked for."""
    assert [output_for(name, alpha=True) for name in OUTPUTS] == ["png", "png", "webp", "avif", "jxl"]
    assert [output_for(name, alpha=False) for name in OUTPUTS] == list(OUTPUTS)
