"""Why a sound picture cannot be carried faithfully by the lossy codec: the reasons to store its source verbatim.

The codec carries 8-bit RGB or grey pixels with or without alpha, and what `Metadata` holds. Anything else that a viewer
would show must not be lost silently.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator

from PIL import ExifTags, ImageFile, MpoImagePlugin, PpmImagePlugin, TiffImagePlugin

from batchcomp.images import (
    foreign_data,
    holes,
    isobmff_items,
    jpeg_data,
    jxl,
    surplus,
    tiff_strips,
    tiff_tags,
    webp_data,
)
from batchcomp.images.metadata import DESCRIPTIVE, MAX_EXIF, MAX_ICC, MAX_XMP, TIFF_IPTC, TIFF_PHOTOSHOP
from batchcomp.images.picture import Metadata
from batchcomp.images.png_chunks import png_chunks

_MODES = {
    "1": "1-bit picture",
    "P": "palette",
    "PA": "palette with alpha channel",
    "La": "premultiplied alpha channel",
    "RGBa": "premultiplied alpha channel",
    "CMYK": "CMYK colours",
    "LAB": "Lab colours",
    "YCbCr": "YCbCr colours",
    "HSV": "HSV colours",
    "F": "floating point samples",
}
_SRGB_GAMMA = 45_455
_SRGB_PRIMARIES = (31_270, 32_900, 64_000, 33_000, 30_000, 60_000, 15_000, 6_000)
_SAMPLE_FORMAT, _UNSIGNED = 339, (1, 4)  # TIFF 6.0, section 19: unsigned, or not said
_JPEG_TABLES, _JPEG, _REFERENCE, _YCBCR = 347, 7, 532, 6
_SUBIFDS, _BITS_PER_SAMPLE, _DNG_VERSION, _PRIMARIES = 330, 258, 50_706, 319
# Tags that say how a TIFF's pixels lie in the file (TIFF 6.0), and those that come back in another place.
_LAYOUT = frozenset((
    *range(254, 267), 273, *range(277, 282), 284, 285, *range(288, 294), 297, 301, *range(317, 320), *range(321, 326),
    *range(338, 342), *range(512, 522), *range(529, 532), 700, 34_675, TIFF_IPTC, TIFF_PHOTOSHOP, *DESCRIPTIVE,
))  # fmt: skip
MAX_TRAILER = 65_000  # bytes behind a JPEG: more than cameras add, less than films and further pictures have

Reasons = Callable[[ImageFile.ImageFile, bytes, Metadata], Iterator[str]]


def no_reasons(_image: ImageFile.ImageFile, _data: bytes, _metadata: Metadata) -> Iterator[str]:
    """Yield nothing: the format has no reasons of its own."""
    return iter(())


def unsupported_reason(
    image: ImageFile.ImageFile, data: bytes, metadata: Metadata, of_format: Reasons = no_reasons
) -> str | None:
    """Return why the loaded `image`, decoded from `data`, cannot be carried faithfully, or None when it can.

    `of_format` yields the reasons that only this source format has.
    """
    for reasons in (_frames(image), _mode(image), of_format(image, data, metadata), _oversized(metadata)):
        for reason in reasons:
            return reason
    return None


def _frames(image: ImageFile.ImageFile) -> Iterator[str]:
    if image.format != "MPO" and getattr(image, "is_animated", False):
        yield "several pages" if image.format == "TIFF" else "animation"


def _mode(image: ImageFile.ImageFile) -> Iterator[str]:
    if "transparency" in image.info:
        yield "transparent colour"
    if image.mode not in {"RGB", "L", "RGBA", "LA"}:
        yield _MODES.get(image.mode, "more than 8 bits per sample")


def _oversized(metadata: Metadata) -> Iterator[str]:
    limits = (("EXIF", metadata.exif, MAX_EXIF), ("XMP", metadata.xmp, MAX_XMP), ("ICC profile", metadata.icc, MAX_ICC))
    for what, content, limit in limits:
        if len(content) > limit:
            yield f"{what} of {len(content)} bytes, too large for a JPEG"
    if len(metadata.trailer) > MAX_TRAILER:
        yield f"{len(metadata.trailer)} bytes after the picture"


def jpeg_reasons(image: ImageFile.ImageFile, data: bytes, metadata: Metadata) -> Iterator[str]:
    yield from jpeg_data.segment_reasons(data, metadata)
    if metadata.trailer and len(metadata.trailer) > MAX_TRAILER:
        yield from foreign_data.tail_reason(metadata.trailer)
    if isinstance(image, MpoImagePlugin.MpoImageFile):
        yield from jpeg_data.mpo_reasons(image, data)


def png_reasons(_image: ImageFile.ImageFile, data: bytes, metadata: Metadata) -> Iterator[str]:
    chunks = {kind: content for kind, content, _ in png_chunks(data)}
    depth, colour = chunks[b"IHDR"][8], chunks[b"IHDR"][9]
    if depth == 16:
        yield "16 bits per sample"
    if depth < 8 and colour == 0:
        yield f"{depth}-bit picture"
    if b"cICP" in chunks and chunks[b"cICP"][:2] not in {b"\x01\x0d", b"\x02\x02"}:
        yield "colour space without an ICC profile (cICP)"
    if not {b"iCCP", b"sRGB", b"cICP"} & chunks.keys() and not _like_srgb(chunks):
        yield "gamma or primaries of its own without an ICC profile"
    yield from foreign_data.png_data(data, metadata)
    if surplus.png_surplus(data):
        yield surplus.REASON


def webp_reasons(_image: ImageFile.ImageFile, data: bytes, metadata: Metadata) -> Iterator[str]:
    yield from webp_data.chunk_reasons(data, metadata)
    if webp_data.has_surplus(data):
        yield surplus.REASON
    yield from holes.webp_hole(data)


def _like_srgb(chunks: dict[bytes, bytes]) -> bool:
    """Tell whether gAMA and cHRM, where given, describe sRGB well enough to be dropped."""
    gamma = struct.unpack(">I", chunks.get(b"gAMA", struct.pack(">I", _SRGB_GAMMA))[:4])[0]
    primaries = struct.unpack(">8I", chunks.get(b"cHRM", struct.pack(">8I", *_SRGB_PRIMARIES))[:32])
    near = all(abs(given - srgb) <= 500 for given, srgb in zip(primaries, _SRGB_PRIMARIES, strict=True))
    return near and abs(gamma - _SRGB_GAMMA) <= 500


def tiff_reasons(image: ImageFile.ImageFile, data: bytes, metadata: Metadata) -> Iterator[str]:
    tags = image.tag_v2 if isinstance(image, TiffImagePlugin.TiffImageFile) else {}
    if any(kind not in _UNSIGNED for kind in tags.get(_SAMPLE_FORMAT, ())):
        yield "signed or floating point samples"
    depths = tags.get(_BITS_PER_SAMPLE, (1,))
    if max(depths) > 8:
        yield f"{max(depths)} bits per sample"
    if max(depths) < 8 and image.mode == "L":
        yield f"{max(depths)}-bit picture"
    if _SUBIFDS in tags or _DNG_VERSION in tags:
        yield "further pictures in the file"
    if ExifTags.Base.SamplesPerPixel in tags and tags[ExifTags.Base.SamplesPerPixel] > len(image.getbands()):
        yield "further channels"
    if _PRIMARIES in tags and "icc_profile" not in image.info:
        yield "primaries of its own without an ICC profile"
    if (TIFF_PHOTOSHOP in tags or TIFF_IPTC in tags) and not metadata.segments:
        yield "Photoshop or IPTC data that no JPEG can hold"
    layout = set(_LAYOUT)
    layout |= {_JPEG_TABLES} if tags.get(ExifTags.Base.Compression) == _JPEG else set()
    layout |= {_REFERENCE} if tags.get(ExifTags.Base.PhotometricInterpretation) == _YCBCR else set()
    if own := sorted(set(tags) - layout):
        yield f"TIFF tags that no other file holds ({', '.join(map(str, own[:5]))})"
    yield from _tiff_rest(data)
    yield from tiff_strips.strip_reasons(data)


def _tiff_rest(data: bytes) -> Iterator[str]:
    try:
        tiff_tags.exif_of(data, DESCRIPTIVE)
        if rest := sum(map(len, tiff_tags.unused(data))):
            yield f"{rest} bytes that belong to no tag"
    except ValueError:
        yield "tags that cannot be read"


def gif_reasons(_image: ImageFile.ImageFile, _data: bytes, _metadata: Metadata) -> Iterator[str]:
    yield "palette"


def ppm_reasons(image: ImageFile.ImageFile, data: bytes, _metadata: Metadata) -> Iterator[str]:
    if isinstance(image, PpmImagePlugin.PpmImageFile) and data[:2] in {b"P2", b"P3", b"P5", b"P6"}:
        fields = re.sub(rb"#[^\r\n]*", b" ", data[:4096]).split(maxsplit=4)
        if len(fields) > 3 and int(fields[3]) > 255:
            yield "more than 8 bits per sample"
    yield from foreign_data.ppm_data(data)


def avif_reasons(image: ImageFile.ImageFile, data: bytes, metadata: Metadata) -> Iterator[str]:
    """Look at the boxes of the header (ISO/IEC 23000-22, AV1-ISOBMFF 2.3): Pillow reduces all to 8-bit sRGB."""
    head = data[:65_536]
    if any(found.group(1)[0] & 0x40 for found in re.finditer(rb"av1C..(.)", head, re.DOTALL)):
        yield "more than 8 bits per sample"
    if b"tmap" in head:
        yield "HDR gain map"
    if re.search(rb"\0\0\0\x28clap", head):
        yield "a part of the picture that is shown alone"  # Pillow shows all of it
    if "icc_profile" not in image.info:
        for found in re.finditer(rb"colrnclx(....)", head, re.DOTALL):
            primaries, transfer = struct.unpack(">HH", found.group(1))
            if not _srgb_like(primaries, transfer):
                yield "colour space without an ICC profile (nclx)"
    yield from foreign_data.isobmff_data(data)
    yield from isobmff_items.item_reasons(data, metadata)


def _srgb_like(primaries: int, transfer: int) -> bool:
    """Tell whether code points of ITU-T H.273 mean sRGB, or nothing at all."""
    return primaries in {1, 2} and transfer in {1, 2, 6, 13}


def heif_reasons(image: ImageFile.ImageFile, data: bytes, metadata: Metadata) -> Iterator[str]:
    """Ask the decoder, which reduces all to 8 bits and the main picture."""
    info = image.info
    if any("hdrgainmap" in str(kind) for kind in info.get("aux", ())) or b"tmap" in data[:65_536]:
        yield "HDR gain map"
    if info.get("depth_images"):
        yield "depth map"
    if info.get("aux"):
        yield "further pictures in the file"
    if info.get("metadata"):
        yield "further metadata"
    if info.get("bit_depth", 8) > 8:
        yield "more than 8 bits per sample"
    nclx = info.get("nclx_profile") or {}
    srgb = _srgb_like(nclx.get("color_primaries", 2), nclx.get("transfer_characteristics", 2))
    if not srgb and not info.get("icc_profile"):
        yield "colour space without an ICC profile (nclx)"
    yield from foreign_data.isobmff_data(data)
    yield from isobmff_items.item_reasons(data, metadata)


def jxl_reasons(_image: ImageFile.ImageFile, data: bytes, _metadata: Metadata) -> Iterator[str]:
    if reason := jxl.header(data).reason:
        yield reason


def bmp_reasons(_image: ImageFile.ImageFile, data: bytes, _metadata: Metadata) -> Iterator[str]:
    if data[14:18] == b"\x7c\0\0\0" and data[70:74] in {b"DEBM", b"KNIL"}:  # 'MBED', 'LINK' in little endian
        yield "colour profile inside a BMP"
    yield from foreign_data.bmp_data(data)
