"""PNG: without loss, and with a place for all but what only a JPEG file holds."""

from __future__ import annotations

import io
import struct
from dataclasses import replace
from typing import IO, Any, Final

import numpy as np
from PIL import PngImagePlugin

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
from batchcomp.images.outputs.png_pixels import chunk, idat_chunks
from batchcomp.images.picture import Metadata, Picture
from batchcomp.images.pillow_array import to_image
from batchcomp.images.png_chunks import png_chunks

# Chunks that Pillow takes no notice of when it writes.
_NOT_PILLOWS: Final = frozenset(
    (b"pHYs", b"oFFs", b"sCAL", b"sTER", b"pCAL", b"PLTE", b"hIST", b"bKGD", b"gIFg", b"gIFx")
)
_SIGNATURE_BYTES: Final = 8
_LINE: Final = 72  # hexadecimal digits in a line of a raw profile, as ImageMagick writes them


class PngOutput(OutputFormat):
    """PNG; comments and IPTC become texts."""

    name = "PNG"
    max_side = 2**31 - 1
    holds = frozenset({IPTC, COMMENTS, CHUNKS, DENSITY, GREY})

    def options(self, metadata: Metadata) -> dict[str, Any]:
        """See `OutputFormat`."""
        exact = any(kind == b"pHYs" for kind, _ in metadata.chunks)
        return standard_options(metadata, xmp=False, density=not exact) | {"pnginfo": _info(metadata)}

    def write(self, picture: Picture, file: IO[bytes]) -> None:
        """Write a file: what stands around the pixels is Pillow's, but for the chunks that it does not write."""
        metadata, buffer = picture.metadata, io.BytesIO()
        pixels = np.asarray(to_image(picture)) if metadata.alpha else picture.pixels
        around = to_image(Picture(pixels=picture.pixels[:1, :1], metadata=replace(metadata, alpha=b"")))
        around.convert(picture.full_mode).save(buffer, self.name, **self.options(metadata))
        file.write(buffer.getbuffer()[:_SIGNATURE_BYTES])
        for kind, content, _ in png_chunks(buffer.getvalue()):
            if kind == b"IHDR":
                file.write(chunk(kind, struct.pack(">II", picture.width, picture.height) + content[8:]))
            elif kind != b"IDAT":
                file.write(chunk(kind, content))
            else:
                for further, found in metadata.chunks:
                    if further in _NOT_PILLOWS:
                        file.write(chunk(further, found))
                file.writelines(idat_chunks(pixels))


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
