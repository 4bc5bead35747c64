"""Standard JPEG files: coefficients or 8-bit pixels to files, as small as they get, and back."""

from __future__ import annotations

import io
import struct
import threading
import warnings
from collections.abc import Iterable
from typing import Any

import mozjpeg_lossless_optimization as mozjpeg
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile, JpegImagePlugin

from batchcomp.codec.baseline import jpeg_of_bands
from batchcomp.codec.dct import Coefficients, bands_of_coefficients
from batchcomp.codec.payload import SOI, segments
from batchcomp.errors import PayloadError
from batchcomp.images import extra_segments
from batchcomp.images.jpeg_segments import APP0, MAX_SIDE, JpegSegment, is_metadata
from batchcomp.images.picture import Metadata, Pixels
from batchcomp.images.pillow_array import pixels_of


def encode(pixels: Pixels, tables: NDArray[np.int64], metadata: Metadata | None = None) -> bytes:
    """Encode (h, w, 3) as 4:4:4 or (h, w, 1) as greyscale: see `write`.

    Args:
        pixels: uint8.
        tables: luma and chroma quantisation tables (2, 8, 8), values 1..255, rows of rising vertical frequency.
        metadata: what to carry along, alpha too.

    Raises:
        OSError: a side is longer than `MAX_SIDE`.
    """
    height, width = pixels.shape[:2]
    return write(bands_of_coefficients(pixels, tables), tables, (width, height), metadata or Metadata())


def write(found: Iterable[Coefficients], tables: NDArray[np.int64], size: tuple[int, ...], metadata: Metadata) -> bytes:
    """A JPEG file of coefficients, as small as `squeeze` gets it.

    Args:
        found: (planes, rows, columns, 8, 8), some rows of blocks at a time.
        tables: see `encode`.
        size: (width, height).
        metadata: what to carry along.

    Raises:
        OSError: a side is longer than `MAX_SIDE`.
    """
    width, height = size
    if max(height, width) > MAX_SIDE:
        raise OSError(f"{width}x{height}: a JPEG file holds sides of at most {MAX_SIDE:,} pixels")
    return SOI + front(metadata) + squeeze(jpeg_of_bands(found, tables, (width, height)))[len(SOI) :]


def front(metadata: Metadata) -> bytes:
    """The segments that a JPEG file of ours begins with to carry metadata, without SOI; b"" where there is none."""
    if metadata == Metadata():  # as of most small pictures
        return b""
    data = save(np.zeros((1, 1, 1), np.uint8), metadata)
    kept = (data[s.start : s.end] for s in segments(data) if is_metadata(s.marker) and not _empty_jfif(data, s))
    return b"".join(kept)


def squeeze(data: bytes) -> bytes:
    """The same JPEG in fewer bytes: same coefficients and tables, so the same pixels, in scans that MozJPEG chooses.

    Metadata stays byte for byte and in its order. A JFIF segment without a density is left out, as cameras do:
    three components (or one) without it are YCbCr (or grey) to every decoder. Where nothing is gained `data` comes
    back as it is.

    Args:
        data: a sound JPEG file, such as Pillow writes.
    """
    try:
        optimised = mozjpeg.optimize(data, copy=mozjpeg.COPY_MARKERS.NONE)
    except ValueError:
        return data
    kept = (data[s.start : s.end] for s in segments(data) if is_metadata(s.marker) and not _empty_jfif(data, s))
    body = next(s.start for s in segments(optimised) if not is_metadata(s.marker))
    squeezed = b"".join((data[:2], *kept, optimised[body:]))
    return squeezed if len(squeezed) < len(data) else data


def _empty_jfif(data: bytes, segment: JpegSegment) -> bool:
    """Whether a JFIF segment says nothing: no unit of density, square pixels, no thumbnail."""
    content = data[segment.start + 4 : segment.end]
    return segment.marker == APP0 and content.startswith(b"JFIF\0") and content[7:] == b"\0\0\1\0\1\0\0"


_LARGE_BUFFER = threading.Lock()


def save(pixels: Pixels, metadata: Metadata, **options: Any) -> bytes:
    """Write a progressive, optimised JPEG through Pillow, unless `options` say otherwise; see `encode` for the pixels.

    Pillow gives such files a buffer of a byte a pixel, in one piece. Noise at fine qualities needs more: then its
    buffer is made larger for a while, which costs files written at the same time some memory and nothing else.
    """
    image = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
    options = {"optimize": True, "progressive": True, **options, **_pillow_options(metadata)}
    try:
        return extra_segments.insert(_bytes_of(image, options), metadata)
    except OSError:
        with _LARGE_BUFFER:
            usual = ImageFile.MAXBLOCK
            ImageFile.MAXBLOCK = 6 * image.width * image.height + (1 << 20)
            try:
                return extra_segments.insert(_bytes_of(image, options), metadata)
            finally:
                ImageFile.MAXBLOCK = usual


def save_baseline(pixels: Pixels, **options: Any) -> bytes:
    """Write a baseline JPEG with optimised Huffman codes, without metadata; see `save`."""
    return save(pixels, Metadata(), progressive=False, **options)


def _bytes_of(image: Image.Image, options: dict[str, Any]) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", **options)
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


def decode(
    data: bytes, *, expected: tuple[int, int] | None = None, least: int | None = None
) -> tuple[Pixels, Metadata]:
    """Decode a JPEG file to uint8 (h, w, 3) or, for greyscale files, (h, w, 1), and its metadata.

    Args:
        data: the file.
        expected: (width, height) it must have; checked before any pixel is decoded.
        least: decode at a half, a quarter or an eighth of the size, as far as no side gets shorter than so many pixels:
            libjpeg scales in the DCT domain, which leaves out most of the work.

    Raises:
        PayloadError: the bytes are no JPEG, are damaged, or hold another kind or size of picture.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's size warning: sizes were checked against the header
            with _opened(data) as image:
                if image.mode not in ("RGB", "L"):
                    raise PayloadError(f"a {image.mode} JPEG is no payload of ours; use an intact copy")
                if expected and image.size != expected:
                    raise PayloadError(f"the JPEG is {image.size}, its header says {expected}; use an intact copy")
                if least:
                    image.draft(image.mode, (least, least))
                pixels, metadata = pixels_of(image), extra_segments.from_segments(data, _metadata_of(image.info))
    except (OSError, SyntaxError, ValueError, struct.error, Image.DecompressionBombError) as error:
        raise PayloadError(f"the payload's JPEG is damaged ({error}); use an intact copy") from error
    return pixels, metadata


def _opened(data: bytes) -> Image.Image:
    """The class itself, not `Image.open`: that stops at 179 megapixels, whatever size was expected."""
    return JpegImagePlugin.JpegImageFile(io.BytesIO(data), "")


def _metadata_of(info: dict[str | tuple[int, int], Any]) -> Metadata:
    density, unit = info.get("jfif_density"), info.get("jfif_unit")
    return Metadata(
        exif=bytes(info.get("exif", b"")).removeprefix(b"Exif\0\0"),
        icc=bytes(info.get("icc_profile") or b""),
        xmp=bytes(info.get("xmp", b"")),
        dpi=(int(density[0]), int(density[1])) if density and unit == 1 else None,
    )
