"""A file becomes a picture, or one line that says why not."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pillow_jxl  # noqa: F401 - registers what writes JPEG XL
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, features

from batchcomp.errors import NotAPictureError, PictureError
from batchcomp.images import pillow_array
from batchcomp.images.load import Limits, check_head, decode_picture, load, read_source
from tests.needs import param

from .make import cases, encoded, image, noise, png

WEBP, AVIF = param("WEBP", "webp"), param("AVIF", "avif")


KINDS = ("JPEG", "PNG", "WEBP", "TIFF", "GIF", "BMP", "AVIF")


LACKING = {kind for kind in ("WEBP", "AVIF") if not features.check(kind.lower())}  # in this build of PIL


LOSSLESS = [("PNG", "RGB"), ("PNG", "L"), ("TIFF", "RGB"), ("TIFF", "L"), ("BMP", "RGB"), ("BMP", "L"), ("PPM", "RGB")]


@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from(LOSSLESS))
@settings(max_examples=60, deadline=None)
def test_lossless_formats_give_back_the_pixels_as_stored(height: int, width: int, kind: tuple[str, str]) -> None:
    """Every size from 1x1 up, RGB and grey, comes back as uint8 of shape (H, W, 3) or (H, W, 1)."""
    pixels = noise(height, width, 1 if kind[1] == "L" else 3)
    stored = Image.fromarray(pixels.squeeze(axis=2) if kind[1] == "L" else pixels)
    picture = decode_picture(encoded(stored, kind[0]), "a")
    assert (picture.mode, picture.height, picture.width) == (kind[1], height, width)
    assert picture.pixels.dtype == np.uint8
    assert picture.pixels.flags.writeable  # so that torch takes it without a copy or a warning
    assert np.array_equal(picture.pixels, pixels)


@pytest.mark.parametrize("kind", ["JPEG", WEBP, AVIF])
def test_lossy_formats_are_read(kind: str) -> None:
    """Sizes are right and colours are colours."""
    picture = decode_picture(encoded(image(), kind), "a")
    assert picture.pixels.shape == (30, 40, 3)


def _flipped(data: bytes) -> bytes:
    at = data.index(b"IDAT") + 8
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


DAMAGED = {
    "empty": (lambda: b"", "empty file"),
    "text": (lambda: b"this is text", "not a readable image"),
    "truncated jpeg": (lambda: encoded(image(), "JPEG")[:-300], "truncated JPEG"),
    "truncated header": (lambda: encoded(image(), "JPEG")[:40], "JPEG"),
    "truncated png": (lambda: encoded(image(), "PNG")[:-900], "truncated PNG"),
    "flipped png": (lambda: _flipped(encoded(image(), "PNG")), "checksum of chunk IDAT"),
    "truncated cmyk": (lambda: encoded(image("CMYK"), "JPEG")[:-300], "truncated JPEG"),
    "truncated palette": (lambda: encoded(image("P"), "PNG")[:-900], "PNG"),
    "truncated webp": (lambda: encoded(image(), "WEBP")[:-300], "WebP"),
    "truncated tiff": (lambda: encoded(image(), "TIFF")[:-300], "TIFF"),
    "truncated gif": (lambda: encoded(image("P"), "GIF")[:-900], "GIF"),
    "truncated bmp": (lambda: encoded(image(), "BMP")[:-300], "truncated BMP"),
    "truncated ppm": (lambda: encoded(image(), "PPM")[:-300], "PPM"),
    "truncated avif": (lambda: encoded(image(), "AVIF")[:-300], "AVIF"),
    "bomb": (lambda: png((50_000, 50_000), 8, 2, b"0"), "50000 x 50000 pixels exceed the limit of 500 megapixels"),
    "long": (lambda: png((200_000, 1), 8, 2, b"0"), "exceed the limit of 131000 pixels a side"),
}


@pytest.mark.parametrize("case", cases(DAMAGED))
def test_damaged_pictures_are_errors_that_name_file_reason_and_next_step(case: str) -> None:
    """A damaged or oversized picture is one line: file, reason, next step."""
    make, reason = DAMAGED[case]
    with pytest.raises(PictureError, match=reason) as caught:
        decode_picture(make(), "dir/a.jpg")
    assert type(caught.value) is PictureError
    assert str(caught.value).startswith("dir/a.jpg: ")
    assert "; " in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("data", [b"", b"text", b"P is no picture", b"BM is a car maker" + bytes(30)])
def test_other_files_are_no_pictures(data: bytes) -> None:
    """Nothing in the content and nothing in the name speaks of an image: a walk may skip it."""
    with pytest.raises(NotAPictureError):
        decode_picture(data, "notes.txt")


def test_apple_double_files_are_no_pictures_whatever_their_suffix() -> None:
    """MacOS keeps metadata in files that are named like pictures."""
    with pytest.raises(NotAPictureError):
        decode_picture(b"\x00\x05\x16\x07" + bytes(60), "._IMG_1.JPG")


def test_a_camera_raw_file_is_never_taken_for_its_thumbnail() -> None:
    """Most raw files are TIFFs whose first picture is a thumbnail."""
    with pytest.raises(PictureError, match="camera raw"):
        decode_picture(encoded(image(), "TIFF"), "IMG_1.DNG")


def test_content_decides_not_the_suffix() -> None:
    """A wrong suffix, or none, does no harm."""
    assert decode_picture(encoded(image(), "JPEG"), "a.heic").width == 40
    assert decode_picture(encoded(image(), "PNG"), "a").width == 40


def test_limits_are_settings() -> None:
    """Pixels, sides and metadata are checked against the limits that are given."""
    data = encoded(image(), "JPEG", icc_profile=bytes(100))
    for limits in (Limits(max_pixels=1199), Limits(max_side=39), Limits(max_metadata_bytes=99)):
        with pytest.raises(PictureError, match="exceed the limit"):
            decode_picture(data, "a.jpg", limits=limits)
    decode_picture(data, "a.jpg", limits=Limits(max_pixels=1200, max_side=40, max_metadata_bytes=100))


def test_pictures_above_pillows_own_ceiling_are_read_without_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limits are settings of ours; strips, in which Pillow hands out pixels, are far below its ceiling."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    monkeypatch.setattr(pillow_array, "STRIP_BYTES", 2 * 5 * 3)
    assert decode_picture(encoded(image(size=(5, 240)), "JPEG"), "a").height == 240


@given(st.integers(0, 2000), st.integers(1, 255), st.sampled_from([kind for kind in KINDS if kind not in LACKING]))
@settings(max_examples=150, deadline=None)
def test_a_changed_byte_never_raises_anything_unexpected(at: int, change: int, kind: str) -> None:
    """Whatever a decoder raises on damage becomes a PictureError of one line."""
    data = bytearray(encoded(image("P" if kind == "GIF" else "RGB", (16, 16)), kind))
    data[at % len(data)] ^= change
    try:
        decode_picture(bytes(data), "a.jpg", limits=Limits(max_pixels=10**6))
    except PictureError as error:
        assert "\n" not in str(error)  # noqa: PT017 - either outcome is right


def test_a_decoder_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """PIL can be built without WebP or AVIF: that is no damage of the picture, and no end of the run."""
    monkeypatch.setattr(features, "check", lambda part: part not in {"webp", "avif"})
    for data, name in ((b"RIFF0000WEBPVP8 ", "WebP"), (b"\0\0\0\x1cftypavif", "AVIF")):
        with pytest.raises(PictureError, match=rf"a\.img: .* was built without {name}; install pillow"):
            decode_picture(data, "a.img")


def test_load_reads_a_file(tmp_path: Path) -> None:
    """`load` is reading and decoding in one."""
    (tmp_path / "a.jpg").write_bytes(encoded(image(), "JPEG"))
    assert load(tmp_path / "a.jpg").width == 40


def test_source_carries_bytes_checksum_and_time(tmp_path: Path) -> None:
    """All describe the same moment of the file."""
    path = tmp_path / "a"
    path.write_bytes(b"abc")
    os.utime(path, ns=(5, 7_000_000_123))
    source = read_source(path)
    assert (source.data, source.size, source.mtime_ns) == (b"abc", 3, 7_000_000_123)
    assert source.sha256 == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_files_that_cannot_be_read_are_errors(tmp_path: Path) -> None:
    """Missing, special and oversized files are PictureErrors."""
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "big.jpg").write_bytes(bytes(11))
    cases = {"missing.jpg": "cannot be read", "pipe.jpg": "not a regular file", "big.jpg": "11 bytes exceed"}
    for name, reason in cases.items():
        with pytest.raises(PictureError, match=reason):
            read_source(tmp_path / name, limits=Limits(max_bytes=10))


def test_a_file_that_changes_while_it_is_read_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes of two moments never make one picture."""
    path, stat_of = tmp_path / "a.jpg", os.fstat
    path.write_bytes(bytes(10))

    def touching(descriptor: int) -> os.stat_result:
        found = stat_of(descriptor)
        os.utime(path, ns=(0, 1))
        return found

    monkeypatch.setattr(os, "fstat", touching)
    with pytest.raises(PictureError, match="changed while it was read"):
        read_source(path)


@pytest.mark.parametrize("what", ["file", "folder", "hard link of another"])
def test_a_link_that_took_the_place_of_a_file_is_an_error(tmp_path: Path, what: str) -> None:
    """Whoever fills a folder could swap a file, or a folder, for a link out of it, after it was listed."""
    root, secret = tmp_path / "photos", tmp_path / "secret"
    (root / "trip").mkdir(parents=True)
    secret.mkdir()
    (secret / "a.jpg").write_bytes(b"secret")
    path = root / "trip" / "a.jpg"
    path.write_bytes(b"mine")
    assert read_source(path, root=root).data == b"mine"
    path.unlink()
    if what == "hard link of another":  # is a file like any other
        path.hardlink_to(secret / "a.jpg")
        assert read_source(path, root=root).data == b"secret"
        return
    if what == "folder":
        path.parent.rmdir()
    (path if what == "file" else path.parent).symlink_to(secret / "a.jpg" if what == "file" else secret)
    assert read_source(path).data == b"secret"
    with pytest.raises(PictureError, match="a symbolic link took its place"):
        read_source(path, root=root)


def test_links_that_lead_to_the_root_are_followed(tmp_path: Path) -> None:
    """Where the source lies is the user's choice."""
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk" / "a.jpg").write_bytes(b"mine")
    (tmp_path / "photos").symlink_to(tmp_path / "disk")
    assert read_source(tmp_path / "photos" / "a.jpg", root=tmp_path / "photos").data == b"mine"


def test_only_the_head_of_a_film_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first bytes decide, unless the suffix promises a picture."""
    (tmp_path / "a.mov").write_bytes(b"\0\0\0\x14ftypqt  " + bytes(1000))
    (tmp_path / "a.jpg").write_bytes(bytes(1000))
    with pytest.raises(NotAPictureError):
        check_head(tmp_path / "a.mov")
    check_head(tmp_path / "a.jpg")
    monkeypatch.setattr(os, "open", lambda *_: (_ for _ in ()).throw(PermissionError(13, "Permission denied")))
    with pytest.raises(PictureError, match="cannot be read"):
        check_head(tmp_path / "a.mov")
