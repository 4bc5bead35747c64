"""How each output format holds what a picture carries, and what it has no place for."""

from __future__ import annotations

from typing import Any

from PIL import PngImagePlugin, features

from batchcomp.images.extra_segments import join_segments
from batchcomp.images.metadata import EXIF_PREFIX
from batchcomp.images.picture import Metadata, Picture
from batchcomp.images.provider import provider
from batchcomp.images.segments import APP13, COM, PHOTOSHOP

# zlib level; measured on a 10-megapixel photo: 1 takes 0.9 s for 8.4 MB, 3 1.2 s for 7.4 MB, 6 2.9 s for 6.7 MB.
_PNG_LEVEL = 3
_LINE = 72  # hexadecimal digits in a line of a raw profile, as ImageMagick writes them


def options(format_name: str, metadata: Metadata) -> dict[str, Any]:
    """Return Pillow's save options for the format, with the metadata.

    Raises:
        ValueError: PIL was built without the format.
    """
    if format_name == "webp" and not features.check("webp"):
        raise ValueError(f"{provider()} was built without WebP")
    chosen: dict[str, Any] = {"exif": EXIF_PREFIX + metadata.exif if metadata.exif else b""}
    if metadata.icc:
        chosen["icc_profile"] = metadata.icc
    if metadata.dpi and format_name != "webp":
        chosen["dpi"] = metadata.dpi
    if format_name == "png":
        return chosen | {"compress_level": _PNG_LEVEL, "pnginfo": _png_info(metadata)}
    if metadata.xmp:
        chosen["xmp"] = metadata.xmp
    if format_name == "jpeg":
        return chosen | {"quality": 95, "subsampling": 0, "extra": join_segments(metadata.segments)}
    return chosen | {"quality": 95, "method": 4, "exact": True}  # exact: colours under full transparency stay


def left_out(picture: Picture, format_name: str) -> tuple[str, ...]:
    """Name what `picture` carries that a file of the format has no place for; the archive still holds it."""
    metadata = picture.metadata
    iptc = any(_is_photoshop(*segment) for segment in metadata.segments)
    comment = any(marker == COM for marker, _ in metadata.segments)
    makers = any(marker != COM and not _is_photoshop(marker, content) for marker, content in metadata.segments)
    missing = {
        "IPTC and Photoshop data": iptc and format_name == "webp",
        "comments": comment and format_name == "webp",
        "JPEG segments of the maker": makers and format_name != "jpeg",
        "bytes after the JPEG": bool(metadata.trailer) and format_name != "jpeg",
        "PNG texts and marks": bool(metadata.chunks) and format_name != "png",
        "pixels per inch": metadata.dpi is not None and format_name == "webp",
        "greyscale layout": picture.mode == "L" and format_name == "webp",
    }
    return tuple(what for what, is_missing in missing.items() if is_missing)


def _png_info(metadata: Metadata) -> PngImagePlugin.PngInfo:
    info = PngImagePlugin.PngInfo()
    if metadata.xmp:  # PNG 3, 11.3.3.4 iTXt: keyword, not compressed, no language, no translation; bytes as they are
        info.add(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + metadata.xmp)
    for marker, content in metadata.segments:
        if marker == COM:
            _add_comment(info, content)
        elif _is_photoshop(marker, content):
            info.add_text("Raw profile type iptc", _raw_profile("iptc", content[len(PHOTOSHOP) :]), zip=True)
    for kind, content in metadata.chunks:
        info.add(kind, content)
    return info


def _add_comment(info: PngImagePlugin.PngInfo, content: bytes) -> None:
    try:
        text = content.rstrip(b"\0").decode()
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    info.add_text("Comment", text.replace("\0", " "))


def _is_photoshop(marker: int, content: bytes) -> bool:
    return marker == APP13 and content.startswith(PHOTOSHOP)


def _raw_profile(name: str, content: bytes) -> str:
    """Return a profile as ImageMagick, ExifTool and Exiv2 keep it in PNG text: name, length, hexadecimal lines."""
    digits = content.hex()
    lines = [digits[at : at + _LINE] for at in range(0, len(digits), _LINE)]
    return "\n".join([f"\n{name}", f"{len(content):8d}", *lines, ""])
