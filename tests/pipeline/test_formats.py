"""Every kind of picture in docs/formats.md, as a real file, through `compress` and `decode`."""

from __future__ import annotations

import io
import os
import re
import struct
import sys
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pillow_heif
import pytest
from PIL import Image, ImageFile
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from batchcomp.archive import ArchiveReader, Row
from batchcomp.errors import PictureError, UnsupportedPictureError
from batchcomp.images.formats import recognise
from batchcomp.images.load import decode_picture
from batchcomp.pipeline.compress import compress_archive
from batchcomp.pipeline.decode import decode_archive
from batchcomp.pipeline.records import Failed, Outcome, Passed, tally
from batchcomp.settings import CompressSettings, DecodeSettings, Limits
from tests.cli.samples import photo
from tests.images.make import display_p3, exif, png, profile, with_segment
from tests.images.raw_files import dng

DOC = Path(__file__).parents[2] / "docs" / "formats.md"
WIDTH, HEIGHT = 256, 192
XMP = b"<x:xmpmeta>\xc3\xa9</x:xmpmeta>"
IPTC = struct.pack(">4sHHI", b"8BIM", 0x0404, 0, 8) + b"\x1c\x02\x05\0\x03abc"
MTIME, PERMISSIONS = 1_234_567_890_000_000_000, 0o640

pillow_heif.register_heif_opener()
import pillow_jxl  # noqa: E402, F401 - registers what writes JPEG XL


def picture(mode: str = "RGB") -> Image.Image:
    """Return a photo with, where the mode has it, an alpha channel with all values in it."""
    pixels = photo(HEIGHT, WIDTH, seed=5)
    alpha = np.tile(np.arange(WIDTH, dtype=np.uint8), (HEIGHT, 1))
    if mode == "LA":
        return Image.merge("LA", (Image.fromarray(pixels).convert("L"), Image.fromarray(alpha)))
    return Image.fromarray(np.dstack([pixels, alpha])) if mode == "RGBA" else Image.fromarray(pixels).convert(mode)


def content(kind: str, mode: str = "RGB", *, of: Image.Image | None = None, **options: Any) -> bytes:
    """Return a file of Pillow's format `kind`."""
    file = io.BytesIO()
    (of or picture(mode)).save(file, kind, **options)
    return file.getvalue()


def jpeg(mode: str = "RGB", **options: Any) -> bytes:
    return content("JPEG", mode, **{"quality": 97, **options})


def rich() -> dict[str, Any]:
    return {"exif": b"Exif\0\0" + exif(6), "icc_profile": profile(), "xmp": XMP}


def exif_first(data: bytes) -> bytes:
    """Return PNG metadata chunks in front of the pixels of a PNG."""
    info = struct.pack(">I", len(XMP) + 22) + b"iTXt" + b"XML:com.adobe.xmp\0\0\0\0\0" + XMP
    return data if XMP in data else data[:33] + info + struct.pack(">I", zlib.crc32(info[4:])) + data[33:]


def png_of(mode: str) -> bytes:
    return exif_first(content("PNG", mode, exif=exif(6), icc_profile=profile(), dpi=(300, 150)))


def frames(kind: str, mode: str = "RGB") -> bytes:
    """Return a file of two pictures."""
    return content(kind, mode, save_all=True, append_images=[picture(mode).transpose(Image.Transpose.ROTATE_180)])


def camera() -> bytes:
    """Return a multi-picture file whose second picture calls itself a preview."""
    data = frames("MPO")
    at = data.index(b"MPF\0") + 4 + 8 + 2 + 12 * 3 + 4 + 16  # behind the directory and its first entry
    return data[:at] + (0x010001).to_bytes(4, "little") + data[at + 4 :]


def tiff(mode: str = "RGB", **tags: Any) -> bytes:
    return content("TIFF", mode, **tags)


def geotiff() -> bytes:
    tags = Image.Exif()
    tags[33_550] = (1.0, 1.0, 0.0)
    return tiff(exif=tags)


def iptc_tiff() -> bytes:
    tags = ImageFileDirectory_v2()
    tags[34_377] = IPTC
    tags.tagtype[34_377] = 7
    return tiff(tiffinfo=tags)


def deep(bits: int = 16) -> Any:
    """Return the photo as uint16 of so many bits."""
    return (photo(HEIGHT, WIDTH, seed=5).astype(np.uint16) * 257) >> (16 - bits)


def heic(mode: str = "RGB", **options: Any) -> bytes:
    return content("HEIF", mode, **{"quality": 95, **options})


def deep_heic() -> bytes:
    file = io.BytesIO()
    pillow_heif.encode(mode="RGB;16", size=(WIDTH, HEIGHT), data=deep().tobytes(), fp=file, quality=90)
    return file.getvalue()


def jxl_of_jpeg(folder: Path) -> bytes:
    (folder / "a.jpg").write_bytes(with_segment(jpeg(comment=b"hello"), 0xED, b"Photoshop 3.0\0" + IPTC))
    with Image.open(folder / "a.jpg") as image:
        return content("JXL", of=image, lossless_jpeg=True, use_container=True)


@dataclass(frozen=True, kw_only=True)
class Case:
    """A row of the table: how its file is made and what must become of it."""

    suffix: str
    data: Callable[[], bytes]
    reason: str = ""  # "": compact
    texts: dict[str, str] = field(default_factory=dict)
    jpeg_ends: bytes = b""  # in what JPEG output must hold
    orientation: int | None = None


RAW_IPTC = {"Raw profile type iptc": f"\niptc\n{len(IPTC):8d}\n{IPTC.hex()}\n"}
CASES: dict[str, Case] = {
    "JPEG, colour": Case(suffix="jpg", data=lambda: jpeg(dpi=(300, 150), **rich()), orientation=6),
    "JPEG, grey": Case(suffix="jpg", data=lambda: jpeg("L", dpi=(72, 72), exif=b"Exif\0\0" + exif(3)), orientation=3),
    "JPEG with comments": Case(
        suffix="jpg", data=lambda: jpeg(comment="h\u00e9".encode()), texts={"Comment": "h\u00e9"}
    ),
    "JPEG with IPTC or other Photoshop data": Case(
        suffix="jpg",
        data=lambda: with_segment(jpeg(), 0xED, b"Photoshop 3.0\0" + IPTC),
        texts=RAW_IPTC,
        jpeg_ends=b"Photoshop 3.0\0" + IPTC,
    ),
    "JPEG with segments of the maker": Case(
        suffix="jpg", data=lambda: with_segment(jpeg(), 0xE7, b"maker's own"), jpeg_ends=b"maker's own"
    ),
    "JPEG with up to 65,000 bytes behind it": Case(
        suffix="jpg", data=lambda: jpeg() + b"SEFT" * 100, jpeg_ends=b"SEFT" * 100
    ),
    "JPEG with more bytes behind it": Case(
        suffix="jpg", data=lambda: jpeg() + b"x" * 70_000, reason="70000 bytes after the picture"
    ),
    "JPEG with previews for a camera's screen (MPF)": Case(suffix="jpg", data=camera),
    "JPEG with EXIF that is nonsense": Case(suffix="jpg", data=lambda: jpeg(exif=b"Exif\0\0nonsense" * 9)),
    "JPEG in CMYK": Case(suffix="jpg", data=lambda: jpeg("CMYK"), reason="CMYK colours"),
    "JPEG with extended XMP": Case(
        suffix="jpg",
        data=lambda: with_segment(jpeg(), 0xE1, b"http://ns.adobe.com/xmp/extension/\0more"),
        reason="extended XMP, too large for one JPEG segment",
    ),
    "JPEG with an HDR gain map": Case(
        suffix="jpg", data=lambda: jpeg(xmp=b'<a hdrgm:Version="1.0"/>'), reason="HDR gain map"
    ),
    "JPEG with a film in it (motion photo)": Case(
        suffix="jpg", data=lambda: jpeg() + b"MotionPhoto_Data" + bytes(99), reason="motion photo"
    ),
    "several pictures in one file (MPO)": Case(
        suffix="mpo", data=lambda: frames("MPO"), reason="several pictures in one file"
    ),
    "JPEG with signed content credentials (C2PA)": Case(
        suffix="jpg",
        data=lambda: with_segment(jpeg(), 0xEB, b"JP\0\1\0\0\0\1jumb"),
        reason="signed content credentials (JUMBF)",
    ),
    "a payload of batchcomp": Case(
        suffix="jpg", data=lambda: with_segment(jpeg(), 0xEA, b"bcmp\0\1"), reason="a payload of batchcomp"
    ),
    "PNG, colour": Case(suffix="png", data=lambda: png_of("RGB"), orientation=6),
    "PNG, grey": Case(suffix="png", data=lambda: png_of("L"), orientation=6),
    "PNG with alpha": Case(suffix="png", data=lambda: png_of("RGBA"), orientation=6),
    "PNG, grey with alpha": Case(suffix="png", data=lambda: png_of("LA"), orientation=6),
    "PNG with texts and a time stamp": Case(
        suffix="png",
        data=lambda: png((WIDTH, HEIGHT), 8, 2, rows(), [(b"tEXt", b"Author\0me"), (b"tIME", b"\x07\xe8\1\2\3\4\5")]),
        texts={"Author": "me"},
    ),
    "PNG with a palette": Case(suffix="png", data=lambda: content("PNG", "P"), reason="palette"),
    "PNG with a palette and transparency": Case(
        suffix="png", data=lambda: content("PNG", "P", transparency=3), reason="transparent colour"
    ),
    "PNG with one transparent colour": Case(
        suffix="png", data=lambda: content("PNG", transparency=(1, 2, 3)), reason="transparent colour"
    ),
    "PNG with 1, 2 or 4 bits": Case(suffix="png", data=lambda: png((2, 1), 4, 0, bytes(2)), reason="4-bit picture"),
    "PNG with 16 bits": Case(
        suffix="png",
        data=lambda: content("PNG", of=Image.fromarray(deep()[:, :, 0])),
        reason="more than 8 bits per sample",
    ),
    "PNG with a gamma of its own": Case(
        suffix="png",
        data=lambda: png((WIDTH, HEIGHT), 8, 2, rows(), [(b"gAMA", (100_000).to_bytes(4, "big"))]),
        reason="gamma or primaries of its own without an ICC profile",
    ),
    "PNG in HDR (cICP)": Case(
        suffix="png",
        data=lambda: png((WIDTH, HEIGHT), 8, 2, rows(), [(b"cICP", bytes([9, 16, 0, 1]))]),
        reason="colour space without an ICC profile (cICP)",
    ),
    "animated PNG": Case(suffix="png", data=lambda: frames("PNG"), reason="animation"),
    "WebP": Case(suffix="webp", data=lambda: content("WEBP", lossless=True, **rich()), orientation=6),
    "WebP with alpha": Case(suffix="webp", data=lambda: content("WEBP", "RGBA", lossless=True)),
    "animated WebP": Case(suffix="webp", data=lambda: frames("WEBP"), reason="animation"),
    "TIFF": Case(
        suffix="tif", data=lambda: tiff(dpi=(300, 150), icc_profile=profile(), exif=oriented(8)), orientation=8
    ),
    "TIFF with alpha": Case(suffix="tif", data=lambda: tiff("RGBA")),
    "TIFF with IPTC": Case(suffix="tif", data=iptc_tiff, texts=RAW_IPTC),
    "TIFF with 16 bits": Case(
        suffix="tif",
        data=lambda: content("TIFF", of=Image.fromarray(deep()[:, :, 0])),
        reason="more than 8 bits per sample",
    ),
    "TIFF in CMYK": Case(suffix="tif", data=lambda: tiff("CMYK"), reason="CMYK colours"),
    "TIFF in Lab": Case(suffix="tif", data=lambda: tiff("LAB"), reason="Lab colours"),
    "TIFF of floating point samples": Case(suffix="tif", data=lambda: tiff("F"), reason="floating point samples"),
    "TIFF with several pages": Case(suffix="tif", data=lambda: frames("TIFF"), reason="several pages"),
    "TIFF with tags of its own (GeoTIFF)": Case(
        suffix="tif", data=geotiff, reason="TIFF tags that no other file holds (33550)"
    ),
    "BMP": Case(suffix="bmp", data=lambda: content("BMP", dpi=(300, 300))),
    "PPM and PGM": Case(suffix="ppm", data=lambda: content("PPM")),
    "PPM with 16 bits": Case(
        suffix="ppm", data=lambda: b"P6 2 1 65535\n" + bytes(12), reason="more than 8 bits per sample"
    ),
    "GIF": Case(suffix="gif", data=lambda: content("GIF", "P"), reason="palette"),
    "animated GIF": Case(suffix="gif", data=lambda: frames("GIF", "P"), reason="animation"),
    "AVIF": Case(suffix="avif", data=lambda: content("AVIF", quality=98, **rich()), orientation=6),
    "AVIF with 10 bits": Case(
        suffix="avif",
        data=lambda: bytes(imagecodecs.avif_encode(deep(10), bitspersample=10)),
        reason="more than 8 bits per sample",
    ),
    "HEIC (`[heif]`)": Case(
        suffix="heic", data=lambda: heic(exif=exif(1), icc_profile=profile(), xmp=XMP), orientation=1
    ),
    "HEIC with alpha": Case(suffix="heic", data=lambda: heic("RGBA")),
    "HEIC with 10 bits": Case(suffix="heic", data=deep_heic, reason="more than 8 bits per sample"),
    "HEIC with several pictures": Case(suffix="heic", data=lambda: frames("HEIF"), reason="animation"),
    "JPEG XL (`[jxl]`)": Case(
        suffix="jxl", data=lambda: content("JXL", lossless=True, use_container=True, exif=exif(6)), orientation=1
    ),
    "JPEG XL with alpha": Case(suffix="jxl", data=lambda: content("JXL", "RGBA", lossless=True)),
    "JPEG XL with 16 bits": Case(
        suffix="jxl", data=lambda: bytes(imagecodecs.jpegxl_encode(deep())), reason="more than 8 bits per sample"
    ),
    "camera raw (`[raw]`)": Case(suffix="dng", data=lambda: dng(WIDTH, HEIGHT, orientation=3), orientation=1),
    "animated JPEG XL": Case(
        suffix="jxl",
        data=lambda: bytes(imagecodecs.jpegxl_encode(np.stack([photo(32, 32), photo(32, 32, seed=1)]))),
        reason="animation",
    ),
    "wide gamut (Display P3)": Case(suffix="png", data=lambda: content("PNG", icc_profile=display_p3())),
    "EXIF or XMP beyond 64 KiB": Case(
        suffix="webp",
        data=lambda: content("WEBP", exif=exif(1) + bytes(65_528)),
        reason="EXIF of 65554 bytes, too large for a JPEG",
    ),
    "smaller than its payload would be": Case(
        suffix="webp",
        data=lambda: content("WEBP", of=picture().resize((16, 16))),
        reason="compressed it would be larger",
    ),
}
# Kinds that have a test of their own below.
FURTHER = {
    "HEIC with a gain map, depth or further pictures": "test_auxiliary_pictures_of_heic_are_reasons",
    "JPEG XL made from a JPEG": "test_a_jpeg_inside_jpeg_xl_is_taken_as_that_jpeg",
    "damaged or cut off": "test_what_is_not_stored_is_named_and_can_be_carried_along",
    "too large (`--max-pixels` and other ceilings)": "test_what_is_not_stored_is_named_and_can_be_carried_along",
    "Photoshop and others that we do not read": ("test_what_is_not_stored_is_named_and_can_be_carried_along"),
    "HEIC, JPEG XL or camera raw without its extra": "test_a_missing_extra_is_named",
    "camera raw that matches --verbatim": "test_raw_files_are_carried_along_where_that_was_asked_for",
    "no picture: videos, sidecars": "test_what_is_not_stored_is_named_and_can_be_carried_along",
}


def rows() -> bytes:
    """Return the photo as the unfiltered rows of a PNG."""
    return b"".join(b"\0" + row.tobytes() for row in photo(HEIGHT, WIDTH, seed=5))


def oriented(value: int) -> Image.Exif:
    tags = Image.Exif()
    tags[0x0112] = value
    return tags


def name_of(kind: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", kind.lower()).strip("-") + "." + CASES[kind].suffix


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> tuple[Path, dict[str, Row]]:
    """Compress a file of every kind and decode it as PNG, JPEG and WebP; return the folder and the rows."""
    folder = tmp_path_factory.mktemp("kinds")
    for kind, case in CASES.items():
        path = folder / "in" / name_of(kind)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(case.data())
        path.chmod(PERMISSIONS)
        os.utime(path, ns=(MTIME, MTIME))
    outcome = tally(compress_archive(settings(folder, tiny_model)))
    assert not outcome.failures
    for kind in ("png", "jpeg", "webp"):
        wanted = DecodeSettings(source=folder / "a.bca", out=folder / kind, format=kind, model=tiny_model, jobs=2)
        assert not tally(decode_archive(wanted)).failures
    return folder, {row.path: row for row in ArchiveReader.open(folder / "a.bca").rows()}


def settings(folder: Path, model: Path, **more: Any) -> CompressSettings:
    usual = {"paths": (folder / "in",), "archive": folder / "a.bca", "model": model, "quality": 30, "jobs": 2}
    return CompressSettings(**{**usual, "measure": "none", **more})


def opened(path: Path) -> ImageFile.ImageFile:
    """Return the picture in a file, by its content, loaded."""
    entry = recognise(path.read_bytes())
    assert entry is not None
    image = entry.opener(io.BytesIO(path.read_bytes()), "")
    image.load()
    return image


def test_every_row_of_the_table_has_its_test() -> None:
    """No kind is promised in docs/formats.md that is not tried here, and none is tried that is not promised."""
    found = re.findall(
        r"^\| ([^|]+) \| (compact|verbatim|not) \| ([^|]+) \|$", DOC.read_text(encoding="utf-8"), re.MULTILINE
    )
    table = {kind: (stored, told) for kind, stored, told in found}
    assert len(table) == len(found)
    assert set(table) == CASES.keys() | FURTHER.keys()
    assert {kind: table[kind][0] for kind in CASES} == {
        kind: "verbatim" if case.reason else "compact" for kind, case in CASES.items()
    }
    assert all(test in globals() for test in FURTHER.values())


@pytest.mark.parametrize("kind", CASES)
def test_each_kind_is_stored_as_the_table_says(run: tuple[Path, dict[str, Row]], kind: str) -> None:
    """Stored how and why; and the reason is the one of the table."""
    row, case = run[1][name_of(kind)], CASES[kind]
    assert row.stored == ("verbatim" if case.reason else "compact")
    assert row.reason.startswith(case.reason) if case.reason else row.reason == ""


@pytest.mark.parametrize("kind", [kind for kind, case in CASES.items() if case.reason])
def test_verbatim_kinds_come_back_byte_for_byte(run: tuple[Path, dict[str, Row]], kind: str) -> None:
    """Content, time and permissions, under the same name, whatever output format was asked for."""
    folder, name = run[0], name_of(kind)
    for output in ("png", "jpeg", "webp"):
        path = folder / output / name
        assert path.read_bytes() == (folder / "in" / name).read_bytes()
        assert (path.stat().st_mtime_ns, path.stat().st_mode & 0o777) == (MTIME, PERMISSIONS)


@pytest.mark.parametrize("kind", [kind for kind, case in CASES.items() if not case.reason])
def test_compact_kinds_come_back_with_all_that_the_table_promises(run: tuple[Path, dict[str, Row]], kind: str) -> None:
    """Size, mode, metadata byte for byte, alpha without loss, texts, time, permissions, and similar colours."""
    folder, case = run[0], CASES[kind]
    source = decode_picture((folder / "in" / name_of(kind)).read_bytes(), name_of(kind))
    path = restored(folder, kind, "png")
    found = decode_picture(path.read_bytes(), kind)
    assert (found.full_mode, found.pixels.shape) == (source.full_mode, source.pixels.shape)
    for name in ("exif", "icc", "xmp", "dpi"):
        assert getattr(found.metadata, name) == getattr(source.metadata, name)
    assert np.abs(found.pixels.astype(int) - source.pixels).mean() < 40
    image = opened(path)
    assert {key: image.info.get(key) for key in case.texts} == case.texts
    if case.orientation:
        assert image.getexif()[0x0112] == case.orientation
    if source.metadata.alpha:
        alpha = np.asarray(image.getchannel("A"))
        assert np.array_equal(alpha, np.asarray(opened(folder / "in" / name_of(kind)).getchannel("A")))
        assert len(np.unique(alpha)) > 200
    assert (path.stat().st_mtime_ns, path.stat().st_mode & 0o777) == (MTIME, PERMISSIONS)


@pytest.mark.parametrize("kind", [kind for kind, case in CASES.items() if not case.reason])
def test_the_other_output_formats_hold_what_they_can(run: tuple[Path, dict[str, Row]], kind: str) -> None:
    """JPEG keeps its own segments and trailing bytes, WebP keeps alpha; both keep EXIF, ICC and XMP."""
    folder, case = run[0], CASES[kind]
    source = decode_picture((folder / "in" / name_of(kind)).read_bytes(), name_of(kind)).metadata
    for output in ("jpeg", "webp"):
        path = restored(folder, kind, output)
        found = decode_picture(path.read_bytes(), kind)
        assert (found.metadata.exif, found.metadata.icc, found.metadata.xmp) == (source.exif, source.icc, source.xmp)
        assert bool(found.metadata.alpha) == bool(source.alpha)
        if output == "jpeg" and not source.alpha:
            assert found.metadata.segments == source.segments
            assert found.metadata.trailer == source.trailer
            assert case.jpeg_ends in path.read_bytes()


def restored(folder: Path, kind: str, output: str) -> Path:
    suffixes = {"png": ".png", "jpeg": ".jpg", "webp": ".webp"}
    (path,) = [
        path
        for path in (folder / output).iterdir()
        if path.name in {Path(name_of(kind)).with_suffix(suffix).name for suffix in (suffixes[output], ".png")}
    ]
    return path


def test_values_of_a_wide_gamut_are_not_converted(run: tuple[Path, dict[str, Row]]) -> None:
    """The restored values are near the source's values, as near as with sRGB: the profile only says what they mean."""
    folder = run[0]
    wide, plain = (opened(restored(folder, kind, "png")) for kind in ("wide gamut (Display P3)", "PNG, colour"))
    assert wide.info["icc_profile"] == display_p3() != profile()
    assert np.array_equal(np.asarray(wide), np.asarray(plain))


def test_what_formats_leave_out_is_said(run: tuple[Path, dict[str, Row]], tiny_model: Path) -> None:
    """Decoding counts what had no place in the files it wrote."""
    folder = run[0]
    counts = {}
    for output in ("png", "jpeg", "webp"):
        wanted = DecodeSettings(
            source=folder / "a.bca", out=folder / output, format=output, model=tiny_model, force=True
        )
        counts[output] = tally(decode_archive(wanted)).left_out
    assert counts["png"] == {"JPEG segments of the maker": 1, "bytes after the JPEG": 1}
    assert counts["jpeg"] == {"PNG texts and marks": 1}
    assert counts["webp"]["IPTC and Photoshop data"] == 2
    assert counts["webp"]["comments"] == 1
    assert counts["webp"]["greyscale layout"] == 3


def test_a_jpeg_inside_jpeg_xl_is_taken_as_that_jpeg(tmp_path: Path) -> None:
    """Pixels and all segments are those of the JPEG that the file gives back bit by bit."""
    found = decode_picture(jxl_of_jpeg(tmp_path), "a.jxl")
    expected = decode_picture((tmp_path / "a.jpg").read_bytes(), "a.jpg")
    assert found.metadata == expected.metadata
    assert found.metadata.segments
    assert np.array_equal(found.pixels, expected.pixels)


@pytest.mark.parametrize(
    ("info", "reason"),
    [
        ({"aux": {"urn:com:apple:photo:2020:aux:hdrgainmap": [3]}}, "HDR gain map"),
        ({"depth_images": [object()]}, "depth map"),
        ({"aux": {"urn:com:apple:photo:2018:aux:portraiteffectsmatte": [3]}}, "further pictures in the file"),
        ({"metadata": [{"type": "mime"}]}, "further metadata"),
        (
            {"nclx_profile": {"color_primaries": 9, "transfer_characteristics": 16}},
            "colour space without an ICC profile",
        ),
    ],
)
def test_auxiliary_pictures_of_heic_are_reasons(monkeypatch: pytest.MonkeyPatch, info: Any, reason: str) -> None:
    """What the decoder says is there beside the picture is not lost: the file is stored as it is."""
    load = pillow_heif.HeifImageFile.load

    def loaded(image: Any) -> Any:
        answer = load(image)
        image.info.update(info)
        return answer

    monkeypatch.setattr(pillow_heif.HeifImageFile, "load", loaded)
    with pytest.raises(UnsupportedPictureError, match=reason):
        decode_picture(heic(), "a.heic")


@pytest.mark.parametrize(("module", "data", "extra"), [("pillow_heif", heic, "heif"), ("pillow_jxl", None, "jxl")])
def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch, module: str, data: Any, extra: str) -> None:
    """Without the package the line says what to install; nothing else fails."""
    made = data() if data else content("JXL", lossless=True)
    for name in [name for name in sys.modules if name.split(".")[0] == module]:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(PictureError, match=rf"need one more package; pip install 'batchcomp\[{extra}\]'") as caught:
        decode_picture(made, "a.img")
    assert not isinstance(caught.value, UnsupportedPictureError)


def test_raw_files_are_carried_along_where_that_was_asked_for(tmp_path: Path, tiny_model: Path) -> None:
    """--verbatim stores the file itself, byte for byte, though it could be developed."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.dng").write_bytes(dng())
    tally(compress_archive(settings(tmp_path, tiny_model, verbatim=("*.dng",))))
    with ArchiveReader.open(tmp_path / "a.bca") as archive:
        (row,) = archive.rows()
        assert (row.stored, row.reason) == ("verbatim", "carried along by --verbatim: a camera raw file")
        assert archive.read(row) == dng()


def test_what_is_not_stored_is_named_and_can_be_carried_along(tmp_path: Path, tiny_model: Path) -> None:
    """Damaged, oversized and foreign files fail, others are passed over; with --verbatim all come back, none fails."""
    bad = {
        "cut.jpg": (jpeg()[:-3000], "truncated JPEG"),
        "huge.png": (content("PNG", of=Image.new("L", (3000, 1000))), "exceed the limit"),
        "raw.dng": (bytes(99), "damaged camera raw file"),
        "layers.psd": (b"8BPS" + bytes(99), "Photoshop"),
    }
    others = {"IMG_1.MOV": b"\0\0\0\x14ftypqt  " + bytes(99), "IMG_1.xmp": XMP, "notes": b""}
    (tmp_path / "in").mkdir()
    for name, data in ({name: data for name, (data, _) in bad.items()} | others | {"ok.jpg": jpeg()}).items():
        (tmp_path / "in" / name).write_bytes(data)
    limits = Limits(max_pixels=1_000_000)
    events: list[Any] = []
    first = tally(compress_archive(settings(tmp_path, tiny_model, limits=limits)), events.append)
    assert {event.name for event in events if isinstance(event, Failed)} == set(bad)
    for event in events:
        assert not isinstance(event, Failed) or bad[event.name][1] in event.reason
    passed = {event.name: event.reason for event in events if isinstance(event, Passed)}
    assert passed.keys() == others.keys()
    assert all("--verbatim" in reason for reason in passed.values())
    assert first.exit_code == 3

    second = tally(compress_archive(settings(tmp_path, tiny_model, limits=limits, verbatim=("*",))))
    assert (second.counts["failed"], second.counts["verbatim"]) == (0, len(bad) + len(others))
    archive = {row.path: row for row in ArchiveReader.open(tmp_path / "a.bca").rows()}
    assert archive["ok.jpg"].stored == "compact"
    assert archive["cut.jpg"].reason == "carried along by --verbatim: truncated JPEG file"
    assert archive["IMG_1.MOV"].reason == "carried along by --verbatim: a video, not a picture"
    again: Outcome = tally(compress_archive(settings(tmp_path, tiny_model, limits=limits, verbatim=("*",))))
    assert again.counts["unchanged"] == len(bad) + len(others) + 1
    tally(decode_archive(DecodeSettings(source=tmp_path / "a.bca", out=tmp_path / "out", model=tiny_model)))
    for name in bad.keys() | others.keys():
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "in" / name).read_bytes()


def test_a_carried_file_must_match_the_glob(tmp_path: Path, tiny_model: Path) -> None:
    """Only what matches is carried along."""
    (tmp_path / "in").mkdir()
    for name in ("a.mov", "b.txt"):
        (tmp_path / "in" / name).write_bytes(b"content")
    outcome = tally(compress_archive(settings(tmp_path, tiny_model, verbatim=("*.mov",))))
    assert (outcome.counts["verbatim"], outcome.counts["skipped"]) == (1, 1)
