"""A file becomes a picture, or one line that says why not."""

from __future__ import annotations

import os
import warnings
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pillow_heif
import pillow_jxl  # noqa: F401 - registers what writes JPEG XL
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, features
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from batchcomp.errors import NotAPictureError, PictureError, UnsupportedPictureError
from batchcomp.images import pillow_array
from batchcomp.images.load import Limits, check_head, decode_picture, load, read_source
from batchcomp.images.sizes import estimate_bytes
from tests.needs import param

from .make import encoded, exif, image, noise, png, with_segment

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
    picture = decode_picture(encoded(image(), kind), "a")
    assert picture.pixels.shape == (30, 40, 3)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", WEBP])
def test_exif_icc_and_xmp_travel_byte_for_byte(kind: str) -> None:
    """The orientation stays in EXIF and is not applied to the pixels."""
    options = {"exif": b"Exif\0\0" + exif(6), "icc_profile": b"profile" * 9, "xmp": b"<x:xmpmeta/>"}
    if kind == "PNG":
        chunk = b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0<x:xmpmeta/>"
        data = png((1, 1), 8, 2, bytes(4), [(b"eXIf", exif(6)), chunk])
        assert decode_picture(data, "a").metadata.exif == exif(6)
        assert decode_picture(data, "a").metadata.xmp == b"<x:xmpmeta/>"
        return
    picture = decode_picture(encoded(image(size=(40, 30)), kind, **options), "a")
    assert (picture.width, picture.height) == (40, 30)
    assert picture.metadata.exif == exif(6)
    assert picture.metadata.icc == b"profile" * 9
    assert picture.metadata.xmp == b"<x:xmpmeta/>"


def test_exif_from_imagemagick_text_is_found() -> None:
    """ImageMagick writes EXIF as hexadecimal PNG text, at times followed by junk."""
    text = b"Raw profile type exif\0\nexif\n%8d\n%s\njunk" % (len(exif(3)), exif(3).hex().encode())
    assert decode_picture(png((1, 1), 8, 2, bytes(4), [(b"tEXt", text)]), "a").metadata.exif == exif(3)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("compression", ["raw", param("tiff_lzw", "libtiff")])
def test_tiff_orientation_is_kept_not_applied(orientation: int, compression: str) -> None:
    pixels, tags = noise(5, 7), Image.Exif()
    tags[0x0112] = orientation
    picture = decode_picture(encoded(Image.fromarray(pixels), "TIFF", exif=tags, compression=compression), "a")
    found = Image.Exif()
    found.load(picture.metadata.exif)
    assert np.array_equal(picture.pixels, pixels)
    assert found[0x0112] == orientation


def test_dpi_is_read_and_nonsense_is_not() -> None:
    assert decode_picture(encoded(image(), "JPEG", dpi=(300, 150)), "a").metadata.dpi == (300, 150)
    assert decode_picture(encoded(image(), "PNG", dpi=(72, 72)), "a").metadata.dpi == (72, 72)
    assert decode_picture(encoded(image(), "JPEG", exif=b"Exif\0\0" + exif(1)), "a").metadata.dpi is None
    assert decode_picture(png((1, 1), 8, 2, bytes(4), [(b"pHYs", bytes(8) + b"\1")]), "a").metadata.dpi is None


def _gray16() -> bytes:
    return encoded(Image.fromarray(np.zeros((3, 3), np.uint16)), "PNG")


UNSUPPORTED = {
    "transparent colour": (lambda: png((1, 1), 8, 2, bytes(4), [(b"tRNS", bytes(6))]), "transparent"),
    "palette": (lambda: encoded(image("P"), "PNG"), "palette"),
    "1 bit": (lambda: encoded(image("1"), "PNG"), "1-bit"),
    "4 bits": (lambda: png((2, 1), 4, 0, bytes(2)), "4-bit"),
    "16-bit grey": (_gray16, "8 bits"),
    "16-bit RGB": (lambda: png((1, 1), 16, 2, bytes(7)), "16 bits"),
    "16-bit PPM": (lambda: b"P6\n# made\n1 1\n65535\n" + bytes(6), "8 bits"),
    "16-bit TIFF": (lambda: encoded(Image.fromarray(np.zeros((3, 3), np.uint16)), "TIFF"), "8 bits"),
    "floating point": (lambda: encoded(image("F"), "TIFF"), "floating"),
    "CMYK": (lambda: encoded(image("CMYK"), "JPEG"), "CMYK"),
    "CMYK TIFF": (lambda: encoded(image("CMYK"), "TIFF"), "CMYK"),
    "Lab": (lambda: encoded(image("LAB"), "TIFF"), "Lab"),
    "gif": (lambda: encoded(image("P"), "GIF"), "palette"),
    "animated gif": (lambda: encoded(image("P"), "GIF", save_all=True, append_images=[image("1")]), "animation"),
    "animated webp": (lambda: encoded(image(), "WEBP", save_all=True, append_images=[image("L")]), "animation"),
    "pages": (lambda: encoded(image(), "TIFF", save_all=True, append_images=[image()]), "pages"),
    "mpo": (lambda: encoded(image(), "MPO", save_all=True, append_images=[image()]), "several pictures"),
    "gamma": (lambda: png((1, 1), 8, 2, bytes(4), [(b"gAMA", (100_000).to_bytes(4, "big"))]), "gamma"),
    "hdr": (lambda: png((1, 1), 8, 2, bytes(4), [(b"cICP", bytes([9, 16, 0, 1]))]), "cICP"),
    "gain map": (
        lambda: encoded(image(), "JPEG", xmp=b'<a hdrgm:Version="1.0"/>'),
        "gain map",
    ),
    "motion photo": (lambda: encoded(image(), "JPEG", xmp=b'<a GCamera:MotionPhoto="1"/>'), "motion photo"),
    "extended xmp": (
        lambda: with_segment(encoded(image(), "JPEG"), 0xE1, b"http://ns.adobe.com/xmp/extension/\0more"),
        "extended XMP",
    ),
    "large exif": (lambda: encoded(image(), "WEBP", exif=exif(1) + bytes(65_528)), "EXIF"),
    "large xmp": (lambda: encoded(image(), "WEBP", xmp=bytes(65_503)), "XMP"),
}


CASE_NEEDS = {
    "Lab": "littlecms2",
    **dict.fromkeys(("animated webp", "large exif", "large xmp", "truncated webp"), "webp"),
    "truncated avif": "avif",
}


def cases(table: Collection[str]) -> list[object]:
    """Return the names in a table below as parameters, each with what its file is made by."""
    return [param(case, CASE_NEEDS[case]) if case in CASE_NEEDS else case for case in table]


@pytest.mark.parametrize("case", cases(UNSUPPORTED))
def test_sound_pictures_the_codec_cannot_carry_are_told_apart(case: str) -> None:
    """The reason is named, so that it can go into the manifest."""
    make, reason = UNSUPPORTED[case]
    with pytest.raises(UnsupportedPictureError, match=reason) as caught:
        decode_picture(make(), "a.img")
    assert "\n" not in str(caught.value)


def test_previews_of_a_camera_are_no_reason_to_refuse() -> None:
    """A multi-picture file whose other pictures are smaller copies of the first is an ordinary photograph."""
    data = encoded(image(), "MPO", save_all=True, append_images=[image()])
    second = data.index(b"MPF\0") + 4 + 8 + 2 + 12 * 3 + 4 + 16  # after the directory and the first entry
    preview = data[:second] + (0x010001).to_bytes(4, "little") + data[second + 4 :]
    assert decode_picture(preview, "a.jpg").width == 40
    assert not decode_picture(preview, "a.jpg").metadata.trailer


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
    "text bomb": (
        lambda: png(
            (1, 1), 8, 2, bytes(4), [(b"zTXt", b"a\0\0" + encoded(Image.new("L", (2000, 2000)), "PNG")[41:-16])]
        ),
        "unpacks to more than 1 MiB",
    ),
}


@pytest.mark.parametrize("case", cases(DAMAGED))
def test_damaged_pictures_are_errors_that_name_file_reason_and_next_step(case: str) -> None:
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
    with pytest.raises(NotAPictureError):
        decode_picture(b"\x00\x05\x16\x07" + bytes(60), "._IMG_1.JPG")


def test_a_camera_raw_file_is_never_taken_for_its_thumbnail() -> None:
    with pytest.raises(PictureError, match="camera raw"):
        decode_picture(encoded(image(), "TIFF"), "IMG_1.DNG")


def test_content_decides_not_the_suffix() -> None:
    assert decode_picture(encoded(image(), "JPEG"), "a.heic").width == 40
    assert decode_picture(encoded(image(), "PNG"), "a").width == 40


def test_limits_are_settings() -> None:
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


def test_warnings_of_pillow_stay_inside_and_filters_are_restored() -> None:
    """An APNG header that makes Pillow warn, read by four threads under `-W error`."""
    data = png((1, 1), 8, 2, bytes(4), [(b"acTL", bytes(8))])
    before = list(warnings.filters)
    with ThreadPoolExecutor(4) as pool:
        assert [picture.width for picture in pool.map(lambda _: decode_picture(data, "a"), range(40))] == [1] * 40
    assert list(warnings.filters) == before


@given(st.integers(0, 2000), st.integers(1, 255), st.sampled_from([kind for kind in KINDS if kind not in LACKING]))
@settings(max_examples=150, deadline=None)
def test_a_changed_byte_never_raises_anything_unexpected(at: int, change: int, kind: str) -> None:
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
    (tmp_path / "a.jpg").write_bytes(encoded(image(), "JPEG"))
    assert load(tmp_path / "a.jpg").width == 40


def test_source_carries_bytes_checksum_and_time(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"abc")
    os.utime(path, ns=(5, 7_000_000_123))
    source = read_source(path)
    assert (source.data, source.size, source.mtime_ns) == (b"abc", 3, 7_000_000_123)
    assert source.sha256 == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_files_that_cannot_be_read_are_errors(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "big.jpg").write_bytes(bytes(11))
    cases = {"missing.jpg": "cannot be read", "pipe.jpg": "not a regular file", "big.jpg": "11 bytes exceed"}
    for name, reason in cases.items():
        with pytest.raises(PictureError, match=reason):
            read_source(tmp_path / name, limits=Limits(max_bytes=10))


def test_a_file_that_changes_while_it_is_read_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, stat_of = tmp_path / "a.jpg", os.fstat
    path.write_bytes(bytes(10))

    def touching(descriptor: int) -> os.stat_result:
        found = stat_of(descriptor)
        os.utime(path, ns=(0, 1))
        return found

    monkeypatch.setattr(os, "fstat", touching)
    with pytest.raises(PictureError, match="changed while it was read"):
        read_source(path)


@pytest.mark.parametrize("size", [(1, 1), (7, 8), (641, 479), (300, 2000)])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP", WEBP, "TIFF", "PPM", AVIF, "JXL"])
def test_the_size_is_read_from_headers_of_every_format(tmp_path: Path, kind: str, size: tuple[int, int]) -> None:
    """Without a decoder, which the file may be made to harm; EXIF in front of a JPEG's size does not matter."""
    options = {"exif": b"Exif\0\0" + bytes(60_000)} if kind == "JPEG" else {"lossless": kind == "WEBP" and size[0] > 7}
    (tmp_path / "a").write_bytes(encoded(Image.new("P" if kind == "GIF" else "RGB", size), kind, **options))
    assert estimate_bytes(tmp_path / "a") == size[0] * size[1] * 3


@given(
    st.binary(max_size=200),
    st.sampled_from([b"\xff\xd8\xff", b"II*\0", b"MM\0+", b"P6\n", b"\xff\x0a", b"RIFF0000WEBP"]),
)
@settings(max_examples=300, deadline=None)
def test_no_header_upsets_the_estimate(tmp_path_factory: pytest.TempPathFactory, rest: bytes, start: bytes) -> None:
    """Whatever follows a signature, the answer is a number."""
    path = tmp_path_factory.getbasetemp() / "header"
    path.write_bytes(start + rest)
    assert isinstance(estimate_bytes(path), int)


def test_the_size_of_heic_is_that_of_its_blocks(tmp_path: Path) -> None:
    """Encoders code whole blocks and crop them; the estimate may be larger by these, never smaller."""
    pillow_heif.register_heif_opener()
    (tmp_path / "a").write_bytes(encoded(Image.new("RGB", (641, 479)), "HEIF"))
    assert 641 * 479 * 3 <= estimate_bytes(tmp_path / "a") <= 648 * 488 * 3


def test_iptc_that_pillow_cannot_read_is_a_reason() -> None:
    """Some programs write IPTC into a TIFF as numbers; it would be lost."""
    tags = ImageFileDirectory_v2()
    tags[33_723] = 1296646712
    tags.tagtype[33_723] = 4
    with pytest.raises(UnsupportedPictureError, match="IPTC"):
        decode_picture(encoded(image(), "TIFF", tiffinfo=tags), "a.tif")


def test_a_film_is_not_read_to_its_end_to_learn_that_it_is_none_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first bytes decide, unless the suffix promises a picture."""
    (tmp_path / "a.mov").write_bytes(b"\0\0\0\x14ftypqt  " + bytes(1000))
    (tmp_path / "a.jpg").write_bytes(bytes(1000))
    with pytest.raises(NotAPictureError):
        check_head(tmp_path / "a.mov")
    check_head(tmp_path / "a.jpg")
    monkeypatch.setattr(os, "open", lambda *_: (_ for _ in ()).throw(PermissionError(13, "Permission denied")))
    with pytest.raises(PictureError, match="cannot be read"):
        check_head(tmp_path / "a.mov")


def test_the_size_in_memory_is_told_from_the_header(tmp_path: Path) -> None:
    """A flat picture is small on disk and large in memory; what cannot be read counts as nothing."""
    flat, broken = tmp_path / "flat.png", tmp_path / "broken.png"
    Image.new("RGB", (2000, 1500)).save(flat)
    broken.write_bytes(flat.read_bytes()[:20])
    assert estimate_bytes(flat) == 2000 * 1500 * 3 > 100 * flat.stat().st_size
    assert estimate_bytes(broken) == 0
    assert estimate_bytes(tmp_path / "none.png") == 0
