"""What becomes of a row: the names of files, the types that browsers are told, transparent pictures."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from batchcomp.serve.gallery import Gallery
from batchcomp.serve.pictures import formats_of, kind_of, reason_of, saved_name, stored_name
from batchcomp.serve.query import Query
from batchcomp.serve.shared_work import Result
from tests.archive.samples import sample_row, verbatim_row
from tests.serve.samples import open_gallery


def content(result: Result) -> Image.Image:
    return Image.open(io.BytesIO(b"".join(result.chunks())))


@pytest.fixture
def gallery(made: Path, tiny_model: Path) -> Iterator[Gallery]:
    """Return the gallery of pictures of all kinds."""
    found = open_gallery(made, tiny_model)
    yield found
    found.close()


def row_of(gallery: Gallery, path: str) -> object:
    (found,) = gallery.catalogue.page(Query(text=path), 0, 9).items
    held = gallery.catalogue.held(found.key)
    assert held is not None
    return held.row


def test_transparent_pictures_stay_so_or_show_a_pattern(gallery: Gallery) -> None:
    """The view has an alpha channel; a thumbnail, which is JPEG, has squares where the picture is clear."""
    row = row_of(gallery, "clear.png")
    assert content(gallery.pictures.view(row)).mode == "RGBA"  # type: ignore[arg-type]
    assert content(gallery.pictures.thumbnail(row)).mode == "RGB"  # type: ignore[arg-type]


def test_grey_pictures_stay_grey(gallery: Gallery) -> None:
    """One channel in, one channel out."""
    row = row_of(gallery, "grey.png")
    assert content(gallery.pictures.view(row)).mode == "L"  # type: ignore[arg-type]


def test_a_source_that_no_codec_carries_is_shown_by_the_browser(gallery: Gallery, made: Path) -> None:
    """16 bits: the file itself, with the type that its first bytes tell."""
    row = row_of(gallery, "sixteen.png")
    for result in (gallery.pictures.view(row), gallery.pictures.thumbnail(row)):  # type: ignore[arg-type]
        assert result.kind == "image/png"
        assert b"".join(result.chunks()) == (made.parent / "photos" / "sixteen.png").read_bytes()


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n...", "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"GIF89a...", "image/gif"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
        (b"RIFF\0\0\0\0WAVEfmt ", ""),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", ""),
        (b"<html>", ""),
        (b"", ""),
    ],
    ids=["png", "jpeg", "gif", "webp", "wave", "svg", "html", "nothing"],
)
def test_only_pictures_without_scripts_have_a_type(data: bytes, kind: str) -> None:
    """What could hold a script is never called a picture."""
    assert kind_of(data) == kind


def test_names_of_files() -> None:
    """The name that it had, with the suffix of what it is now; never a folder."""
    row = sample_row("a/b/x.tar.png")
    assert (saved_name(row, "jpeg"), saved_name(row, "png")) == ("x.tar.jpg", "x.tar.png")
    assert stored_name(row) == "x.tar.png.jpg"
    assert stored_name(verbatim_row("a/y.tif")) == "y.tif"


def test_formats_that_can_hold_the_picture() -> None:
    """No JPEG with an alpha channel; none for a source that comes back as it is, or for a kind of the future."""
    assert formats_of(sample_row()) == ["png", "jpeg", "webp"]
    assert formats_of(sample_row(mode="RGBA")) == ["png", "webp"]
    assert formats_of(verbatim_row("a")) == formats_of(sample_row(stored="future")) == []


def test_reasons_leave_the_name_out() -> None:
    """It stands beside them; what is no error of ours is told without its inside."""
    row = sample_row("a.png")
    from batchcomp.errors import PayloadError  # noqa: PLC0415

    assert reason_of(row, PayloadError("a.png: is \x1b[31mdamaged")) == "is \\x1b[31mdamaged"
    assert "/secret" not in reason_of(row, OSError("/secret/tmp is full"))


def test_orientation_and_pixels_of_a_thumbnail(gallery: Gallery) -> None:
    """A picture that is turned by its EXIF is shown upright: what was its left is on top."""
    row = row_of(gallery, "turned.jpg")
    small = np.asarray(content(gallery.pictures.thumbnail(row))).astype(int)  # type: ignore[arg-type]
    view = content(gallery.pictures.view(row)).resize(small.shape[1::-1], Image.Resampling.BOX)  # type: ignore[arg-type]
    assert np.abs(small - np.asarray(view).astype(int)).mean() < 12
