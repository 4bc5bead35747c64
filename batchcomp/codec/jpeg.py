"""The inner codec: 8-bit compact pictures to standard JPEG files and back, through Pillow."""

from __future__ import annotations

import io
import struct
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from batchcomp.errors import PayloadError
from batchcomp.images.picture import Metadata, Pixels

MAX_SIDE = 65_500  # libjpeg's own limit, a little below the format's 65,535


def encode(pixels: Pixels, tables: NDArray[np.int64], metadata: Metadata | None = None) -> bytes:
    """Encode (h, w, 3) as 4:4:4 or (h, w, 1) as greyscale: progressive, optimised Huffman codes, 8-bit tables.

    Args:
        pixels: uint8, sides at most `MAX_SIDE`.
        tables: luma and chroma quantisation tables (2, 8, 8), values 1..255, rows of rising vertical frequency.
        metadata: EXIF, ICC, XMP and density to carry along.
    """
    grey = pixels.shape[2] == 1
    image = Image.fromarray(pixels[:, :, 0] if grey else pixels)
    buffer = io.BytesIO()
    image.save(
        buffer,
        "JPEG",
        qtables=[[int(v) for v in table.ravel()] for table in (tables[:1] if grey else tables)],
        subsampling=0,
        optimize=True,
        progressive=True,
        **_pillow_options(metadata or Metadata()),
    )
    return buffer.getvalue()


def _pillow_options(metadata: Metadata) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if metadata.exif:
        options["exif"] = b"Exif\0\0" + metadata.exif
    if metadata.icc:
        options["icc_profile"] = metadata.icc
    if metadata.xmp:
        options["xmp"] = metadata.xmp
    if metadata.dpi:
        options["dpi"] = metadata.dpi
    return options


def decode(data: bytes) -> Pixels:
    """Decode a JPEG file to uint8 (h, w, 3) or, for greyscale files, (h, w, 1).

    Raises:
        PayloadError: the bytes are no JPEG, are damaged, or hold another kind of picture.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data), formats=["JPEG"]) as image:
                if image.mode not in ("RGB", "L"):
                    raise PayloadError(f"a {image.mode} JPEG is no payload of ours; use an intact copy")
                pixels = np.array(image)
    except (OSError, SyntaxError, ValueError, struct.error, Image.DecompressionBombError) as error:
        raise PayloadError(f"the payload's JPEG is damaged ({error}); use an intact copy") from error
    return pixels if pixels.ndim == 3 else pixels[:, :, None]
