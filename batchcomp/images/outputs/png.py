"""PNG: without loss, and with a place for all but what only a JPEG file holds."""

from __future__ import annotations

import io
import struct
import zlib
from typing import IO, Any, Final

from PIL import Image, PngImagePlugin

from batchcomp.images.jpeg_segments import COM, PHOTOSHOP
from batchcomp.images.outputs.base import (
    CHUNKS,
    COMMENTS,
    DENSITY,
    GREY,
    IPTC,
    OutputFormat,
    is_photoshop,
    standard_options,
)
from batchcomp.images.picture import Metadata
from batchcomp.images.png_chunks import chunk_start

# zlib level; measured on a 10-megapixel photo: 1 takes 0.9 s for 8.4 MB, 3 1.2 s for 7.4 MB, 6 2.9 s for 6.7 MB.
# Chunks that Pillow takes no notice of when it writes.
_NOT_PILLOWS: Final = frozenset(
    (b"pHYs", b"oFFs", b"sCAL", b"sTER", b"pCAL", b"PLTE", b"hIST", b"bKGD", b"gIFg", b"gIFx")
)
_LEVEL: Final = 3
_LINE: Final = 72  # hexadecimal digits in a line of a raw profile, as ImageMagick writes them


class PngOutput(OutputFormat):
    """PNG; comments and IPTC become texts."""

    name = "PNG"
    max_side = 2**31 - 1
    holds = frozenset({IPTC, COMMENTS, CHUNKS, DENSITY, GREY})

    def options(self, metadata: Metadata) -> dict[str, Any]:
        """See `OutputFormat`."""
        exact = any(kind == b"pHYs" for kind, _ in metadata.chunks)
        return standard_options(metadata, xmp=False, density=not exact) | {
            "compress_level": _LEVEL,
            "pnginfo": _info(metadata),
        }

    def write(self, image: Image.Image, file: IO[bytes], metadata: Metadata) -> None:
        """Write a file, with the chunks that Pillow does not write in front of its pixels."""
        more = [(kind, content) for kind, content in metadata.chunks if kind in _NOT_PILLOWS]
        if not more:
            super().write(image, file, metadata)
            return
        buffer = io.BytesIO()
        super().write(image, buffer, metadata)
        data = buffer.getvalue()
        at = chunk_start(data, b"IDAT")  # its letters may stand in a text too
        file.write(data[:at])
        for kind, content in more:
            file.write(struct.pack(">I4s", len(content), kind) + content)
            file.write(struct.pack(">I", zlib.crc32(kind + content)))
        file.write(data[at:])


def _info(metadata: Metadata) -> PngImagePlugin.PngInfo:
    info = PngImagePlugin.PngInfo()
    if metadata.xmp:  # PNG 3, 11.3.3.4 iTXt: keyword, not compressed, no language, no translation; bytes as they are
        info.add(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + metadata.xmp)
    resources = b"".join(
        content[len(PHOTOSHOP) :] for marker, content in metadata.segments if is_photoshop(marker, content)
    )
    if resources:  # one list, though it may stand in several segments
        info.add_text("Raw profile type iptc", _raw_profile("iptc", resources), zip=True)
    for marker, content in metadata.segments:
        if marker == COM:
            _add_comment(info, content)
    for kind, content in metadata.chunks:
        if kind not in _NOT_PILLOWS:
            info.add(kind, content)
    return info


def _add_comment(info: PngImagePlugin.PngInfo, content: bytes) -> None:
    try:
        text = content.rstrip(b"\0").decode()
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    info.add_text("Comment", text.replace("\0", " "))


def _raw_profile(name: str, content: bytes) -> str:
    """Return a profile as ImageMagick, ExifTool and Exiv2 keep it in PNG text: name, length, hexadecimal lines."""
    digits = content.hex()
    lines = [digits[at : at + _LINE] for at in range(0, len(digits), _LINE)]
    return "\n".join([f"\n{name}", f"{len(content):8d}", *lines, ""])
