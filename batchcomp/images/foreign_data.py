"""What a file holds beside its picture and the metadata that the codec carries: the reasons to store it as it is.

For each container the parts that the codec carries, or that only say how the pixels lie in the file, are listed.
Whatever is not listed is data that a user may miss.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from typing import Final

from batchcomp.images import jxl
from batchcomp.images.isobmff import Box, boxes
from batchcomp.images.picture import Metadata
from batchcomp.images.png_chunks import CARRIED, further_chunks, png_chunks, png_end
from batchcomp.images.png_profiles import RAW_EXIF, RAW_XMP, XMP_KEY, holds_only

_ONCE: Final = {b"IHDR", b"eXIf", b"iCCP", b"PLTE", b"bKGD", b"pHYs"}
_IDOT_BYTES: Final = 28  # of Apple's chunk, which only says where the pixels are cut in two
_TOP: Final = {b"ftyp", b"meta", b"mdat", b"free", b"skip"}
_META: Final = {b"hdlr", b"pitm", b"iinf", b"iref", b"iprp", b"iloc", b"idat", b"dinf", b"free", b"skip"}
_PROPERTIES: Final = {
    b"ispe", b"pixi", b"hvcC", b"av1C", b"colr", b"irot", b"imir", b"auxC", b"pasp", b"clap", b"lsel", b"a1op", b"a1lx",
    b"free", b"skip",
}  # fmt: skip
_JXL: Final = {b"ftyp", b"jxlc", b"jxlp", b"jxll", b"jbrd", b"Exif", b"xml "}
_SPACE: Final = {b"free", b"skip"}
_BLOCK: Final = 64  # pixels: the largest that HEVC fills up
CREDENTIALS: Final = "signed content credentials (JUMBF)"


def tail_reason(tail: bytes) -> Iterator[str]:
    """Yield that there are bytes after the picture, unless they are zeros, with which some writers fill up."""
    if tail.strip(b"\0"):
        film = b"ftyp" in tail[:64] or b"LIVE_" in tail[-64:]
        yield "motion photo" if film else f"{len(tail)} bytes after the picture"


def png_data(data: bytes, metadata: Metadata) -> Iterator[str]:
    """Yield what a PNG holds that neither `Metadata` nor the pixels have."""
    kept, seen = {kind for kind, _ in further_chunks(data)}, set[bytes]()
    for kind, content, sound in png_chunks(data):
        if kind == b"caBX":
            yield CREDENTIALS
        if not sound and kind[:1].islower():
            yield f"chunk {shown_kind(kind)} with a wrong checksum"
        held = {b"eXIf": metadata.exif, b"iCCP": metadata.icc}.get(kind, b"1")
        if kind not in CARRIED | kept or not held or (kind == b"iDOT" and len(content) != _IDOT_BYTES):
            yield f"chunk {shown_kind(kind)} that no other file holds"
        if kind in _ONCE and kind in seen:
            yield f"two chunks {shown_kind(kind)}"
        if content.startswith((XMP_KEY, RAW_XMP)):
            if b"XMP" in seen or not metadata.xmp:
                yield "XMP that cannot be read, or two of it"
            seen.add(b"XMP")
        if content.startswith(RAW_EXIF) and b"eXIf" in {k for k, _, _ in png_chunks(data)}:
            yield "EXIF in two places"
        if not holds_only(kind, content, xmp=metadata.xmp, exif=metadata.exif, icc=metadata.icc):
            yield f"chunk {shown_kind(kind)} that holds more than is read of it"
        seen.add(kind)
    yield from tail_reason(data[png_end(data) :])


def isobmff_data(data: bytes) -> Iterator[str]:
    """Yield what a HEIC or AVIF file holds beside the boxes of a picture (ISO/IEC 23008-12)."""
    seen = set[bytes]()
    for kind, start, end in boxes(data, 0, len(data)):
        yield from _box(data, (kind, start, end), _TOP)
        if kind in seen & {b"ftyp", b"meta"}:
            yield f"two boxes {shown_kind(kind)}"
        if kind == b"meta":
            yield from _meta(data, start + 4, end)
        seen.add(kind)


def _meta(data: bytes, start: int, end: int) -> Iterator[str]:
    for box in boxes(data, start, end):
        yield from _box(data, box, _META)
        if box[0] != b"iprp":
            continue
        for inner in boxes(data, *box[1:]):
            yield from _box(data, inner, {b"ipco", b"ipma"} | _SPACE)
            for entry in boxes(data, *inner[1:]) if inner[0] == b"ipco" else ():
                yield from _box(data, entry, _PROPERTIES)
                square = data[entry[1] : entry[1] + 4] == data[entry[1] + 4 : entry[1] + 8]
                if entry[0] == b"pasp" and not square:
                    yield "pixels that are not square"
            if inner[0] == b"ipco":
                yield from _crops(data, list(boxes(data, *inner[1:])))


def _crops(data: bytes, properties: list[Box]) -> Iterator[str]:
    """Yield that only a part of a picture is shown, unless the rest fills up blocks at the right and below (8.3.2)."""
    sizes = [struct.unpack_from(">II", data, start + 4) for kind, start, _ in properties if kind == b"ispe"]
    for kind, start, _ in properties:
        if kind == b"clap":
            numbers = struct.unpack_from(">4I", data, start) + struct.unpack_from(">iIiI", data, start + 16)
            width, height, across, down = (
                one / max(1, of) for one, of in zip(numbers[::2], numbers[1::2], strict=True)
            )
            margins = [(wide - width, high - height) for wide, high in sizes]
            if not any(
                0 <= right < _BLOCK and 0 <= below < _BLOCK and (2 * across, 2 * down) == (-right, -below)
                for right, below in margins
            ):
                yield "a part of the picture that is shown alone"


def _box(data: bytes, box: Box, known: set[bytes]) -> Iterator[str]:
    kind, start, end = box
    if kind in {b"jumb", b"c2pa"} or data[start : start + 16].hex() == "d8fec3d61b0e483c92975828877ec481":
        yield CREDENTIALS
    if kind == b"mpvd":
        yield "motion photo"
    if kind == b"":
        yield f"{end - start} bytes after the picture"
    if kind not in known:
        yield f"box {shown_kind(kind)} that no other file holds"
    if kind in _SPACE and data[start:end].strip(b"\0"):
        yield f"{end - start} bytes in a box that should be empty"


def box_reason(data: bytes, *, jpeg: bool) -> str | None:
    """Return what a JPEG XL file holds beside one picture and the boxes that are carried.

    `jpeg`: it was restored from its box `jbrd`.
    """
    seen = set[bytes]()
    start = len(jxl.CONTAINER)
    for kind, begin, end in boxes(data, start, len(data)) if data.startswith(jxl.CONTAINER) else ():
        if kind in {b"brob", b"jhgm"}:
            return {b"brob": "compressed metadata", b"jhgm": "HDR gain map"}[kind]
        for reason in _box(data, (kind, begin, end), _JXL | _SPACE):
            return reason
        if kind in seen & {b"ftyp", b"Exif", b"xml ", b"jxll", b"jbrd"}:
            return f"two boxes {shown_kind(kind)}"
        if (kind == b"jxll" and end - begin != 1) or (kind == b"jbrd" and not jpeg):
            return f"box {shown_kind(kind)} that cannot be read"
        seen.add(kind)
    return "bytes after the picture" if data and jxl.has_surplus(data) else None


def bmp_data(data: bytes) -> Iterator[str]:
    """Yield what a BMP holds in front of, between or behind its pixels."""
    start, header = struct.unpack_from("<II", data, 10)
    if header == 12:
        width, height, _, depth = struct.unpack_from("<HHHH", data, 18)
        packing, size = 0, 0
    else:
        width, height, _, depth, packing, size = struct.unpack_from("<iiHHII", data, 18)
    row = (width * depth + 31) // 32 * 4
    rows = row * abs(height)
    masks = 12 if packing == 3 and header == 40 else 16 if packing == 6 and header == 40 else 0
    if data[6:10].strip(b"\0") or (depth > 8 and data[14 + header + masks : start].strip(b"\0")):
        yield "data in front of the pixels"
    if header >= 108 and data[70:74] == bytes(4) and data[74:122].strip(b"\0"):  # LCS_CALIBRATED_RGB
        yield "primaries of its own without an ICC profile"
    if depth == 32 and packing == 0 and data[start + 3 : start + rows : 4].strip(b"\0\xff"):
        yield "a fourth channel"
    used = (width * depth + 7) // 8
    if packing in {0, 3} and any(data[start + at : start + rows : row].strip(b"\0") for at in range(used, row)):
        yield "bytes between its rows, where no decoder looks"
    yield from tail_reason(data[start + (rows if packing in {0, 3, 6} else size) :])


def ppm_data(data: bytes) -> Iterator[str]:
    """Yield that a PPM or PGM file goes on after its first picture, as its format allows."""
    found = re.match(rb"P([2356])(?:\s|#[^\r\n]*)+(\d+)(?:\s|#[^\r\n]*)+(\d+)(?:\s|#[^\r\n]*)+(\d+)", data)
    if found is None:
        return
    width, height = int(found[2]), int(found[3])
    samples = width * height * (3 if found[1] in b"36" else 1)
    if found[1] in b"56":
        yield from tail_reason(data[found.end() + 1 + samples * (2 if int(found[4]) > 255 else 1) :].strip())
    elif len(re.sub(rb"#[^\r\n]*", b" ", data[found.end() :]).split()) > samples:
        yield "further data after the picture"
    if b"#" in (data if found[1] in b"23" else data[: found.end()]):
        yield "comments in a PPM"


def shown_kind(kind: bytes) -> str:
    """Return the four letters of a type, as they can be printed."""
    return "".join(chr(byte) if 32 < byte < 127 else "?" for byte in kind)
