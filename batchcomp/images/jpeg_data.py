"""What a JPEG file holds beside one picture and the metadata that the codec carries: reasons to store it as it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from PIL import MpoImagePlugin

from batchcomp.images import tiff_tags
from batchcomp.images.foreign_data import CREDENTIALS, tail_reason
from batchcomp.images.jpeg_scans import END, layout
from batchcomp.images.jpeg_segments import (
    APP0,
    APP1,
    APP2,
    APP10,
    APP11,
    APP14,
    EXIF,
    ICC,
    MPF,
    PAYLOAD,
    START,
    XMP,
    metadata_segments,
    picture_end,
    segments,
)  # fmt: skip
from batchcomp.images.picture import Metadata

_OURS: Final = (b"bcal\0", b"bcpn\0", b"bctr\0")
_MOTION: Final = (b"MotionPhoto_Data", b':MotionPhoto="1"', b':MicroVideo="1"')
_JFIF_BYTES: Final = 14
_MPF_TAGS: Final = frozenset((*range(0xB000, 0xB005), *range(0xB101, 0xB1FF), *range(0xB201, 0xB20E)))
_ADOBE_BYTES: Final = 12  # of the segment that says how colours are transformed (T.872, 6.5.3)


def segment_reasons(data: bytes, metadata: Metadata) -> Iterator[str]:
    """Yield what stands in the segments that no other JPEG file would have in this way."""
    found = list(metadata_segments(data))
    contents = [content for _, content in found]
    if any(marker == APP10 and content.startswith(PAYLOAD) for marker, content in found):
        yield "a payload of batchcomp"
    if any(marker == APP10 and content.startswith(_OURS) for marker, content in found):
        yield "segments that batchcomp itself writes"
    if any(marker == APP11 and content.startswith(b"JP") for marker, content in found):
        yield CREDENTIALS
    if any(content.startswith(b"urn:iso:std:iso:ts:21496:-1\0") or b"hdrgm:Version" in content for content in contents):
        yield "HDR gain map"
    if any(content.startswith(b"http://ns.adobe.com/xmp/extension/\0") for content in contents):
        yield "extended XMP, too large for one JPEG segment"
    if any(mark in content for content in contents for mark in _MOTION) or _MOTION[0] in data[-65_536:]:
        yield "motion photo"
    yield from _unread(data, metadata, found)


def _unread(data: bytes, metadata: Metadata, found: list[tuple[int, bytes]]) -> Iterator[str]:
    """Yield what the decoder leaves out or joins."""
    kinds = ((APP1, EXIF, metadata.exif), (APP1, XMP, metadata.xmp), (APP2, ICC, metadata.icc))
    for marker, prefix, read in kinds:
        count = sum(one == marker and content.startswith(prefix) for one, content in found)
        name = prefix[:4].decode("ascii") if prefix != XMP else "XMP"
        if (count and not read) or (count > 1 and prefix != ICC):
            yield f"{name} segments that cannot be read as one"
    if any(
        marker == APP14 and content.startswith(b"Adobe\0") and len(content) != _ADOBE_BYTES for marker, content in found
    ):
        yield "an Adobe segment of another length"
    if any(marker == APP0 and not _is_plain(content) for marker, content in found):
        yield "a JFIF segment that holds more than a small copy of the picture"
    jfif = [content for marker, content in found if marker == APP0 and content.startswith(b"JFIF\0")]
    if any(content[7:8] == b"\0" and content[8:10] != content[10:12] for content in jfif):
        yield "pixels that are not square"
    try:
        list(segments(data))
    except ValueError:
        yield "bytes between its segments"
    if layout(data).late:
        yield "segments behind the first scan"
    lists = [content[len(MPF) :] for marker, content in found if marker == APP2 and content.startswith(MPF)]
    if len(lists) > 1 or not all(map(_is_list, lists)):
        yield "a list of pictures that cannot be read, or several"


def _is_plain(content: bytes) -> bool:
    """Tell whether an APP0 segment is carried, or is a whole thumbnail (JFIF 1.02): those are left out."""
    if content.startswith(b"JFIF\0"):
        return len(content) < _JFIF_BYTES or len(content) == _JFIF_BYTES + 3 * content[12] * content[13]
    if not content.startswith(b"JFXX\0"):
        return True
    kind, thumbnail = content[5:6], content[6:]
    if kind == b"\x10":
        return thumbnail.startswith(START) and picture_end(thumbnail) == len(thumbnail) and thumbnail.endswith(END)
    pixels = thumbnail[0] * thumbnail[1] if len(thumbnail) > 2 else -1
    return len(thumbnail) == {b"\x11": 2 + 768 + pixels, b"\x13": 2 + 3 * pixels}.get(kind, -1)


def _is_list(content: bytes) -> bool:
    """Tell whether a list of pictures holds nothing but what CIPA DC-007, 5.2, says."""
    try:
        file = tiff_tags.TiffFile(content)
        tags = file.first()
        (following,) = file.numbers("I", file.used[1][1] - 4)
        tags += file.directory(following) if following else ()
    except ValueError:
        return False
    return all(tag.number in _MPF_TAGS for tag in tags) and not any(rest.strip(b"\0 ") for rest in file.rest())


def mpo_reasons(image: MpoImagePlugin.MpoImageFile, data: bytes) -> Iterator[str]:
    """Yield what a multi-picture file holds beside its first picture and smaller copies of it (CIPA DC-007)."""
    entries: list[Any] = (image.mpinfo or {}).get(0xB002, [])[1:]
    if not all(str(entry["Attribute"]["MPType"]).startswith("Large Thumbnail") for entry in entries):
        yield "several pictures in one file"
    base = data.find(MPF) + len(MPF)
    at = picture_end(data)
    for start, size in sorted((base + entry["DataOffset"], entry["Size"]) for entry in entries):
        if data[start : start + 2] != START or start < at:
            yield "several pictures in one file"
            return
        yield from tail_reason(data[at:start])
        at = min(picture_end(data, start), start + size)
    yield from tail_reason(data[at:])
