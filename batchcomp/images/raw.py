"""Camera raw files, developed by LibRaw through the extra `[raw]`: what the sensor saw becomes an 8-bit sRGB picture.

That picture is what the networks carry. The sensor's own numbers are not: `--verbatim '*.nef'` stores the file itself.
White balance is the camera's, brightness dcraw's, pixels stand upright. EXIF is the file's own where it is built like a
TIFF (most are), else that of the preview inside, without the maker's notes, which point into the file.
"""

from __future__ import annotations

import io
import re
from importlib.util import find_spec
from typing import IO, Any, Final

import numpy as np
from PIL import Image, ImageFile

from batchcomp.images import tiff_tags
from batchcomp.images.jpeg_segments import EXIF, START, segments

RAW: Final = "camera raw"
EXTRA: Final = "raw"
_MAKER_NOTE: Final = 37_500
# Tags of the first directory that describe the photo: TIFF 6.0 and EXIF 2.32; the others say how the file is built.
_KEPT: Final = frozenset((270, 271, 272, 274, 305, 306, 315, 33_432, tiff_tags.EXIF_IFD, tiff_tags.GPS_IFD))


# How raw files begin: as a TIFF (DNG, NEF, CR2, ARW, PEF, 3FR), or in ways of their own (ORF, RW2, RAF, CR3, X3F, MRW).
_SIGNATURE: Final = re.compile(
    rb"II[*+]\0|MM\0[*+]|IIR[OS]|MMOR|IIU\0|FUJIFILMCCD-RAW|....ftypcrx|FOVb|\0MRM", re.DOTALL
)


def has_decoder() -> bool:
    """Tell whether the extra is installed."""
    return find_spec("rawpy") is not None


class RawImageFile(ImageFile.ImageFile):
    """A raw file as Pillow's picture. Opening reads its header; `load` develops it."""

    format = "RAW"
    format_description = "camera raw"

    def _open(self) -> None:
        import rawpy  # noqa: PLC0415 - of an extra

        data = self.fp.read() if self.fp else b""
        try:
            self._raw: Any = rawpy.imread(io.BytesIO(data))
            sizes = self._raw.sizes
        except rawpy.LibRawError as error:
            raise _plain(error, known=bool(_SIGNATURE.match(data))) from error
        sides = sizes.iwidth, sizes.iheight
        if max(sizes.raw_width * sizes.raw_height, 0) > 4 * max(1, sides[0] * sides[1]):
            sides = sizes.raw_width, sizes.raw_height  # what is decoded first must keep within the limits too
        self._size = sides[::-1] if sizes.flip & 4 else sides
        self._mode, self.tile = "RGB", []
        if exif := exif_of(data) or self._preview_exif():
            self.info["exif"] = EXIF + exif

    def load(self) -> Any:
        """Develop it.

        Raises:
            ValueError, MemoryError: the file is damaged or too large.
        """
        if self._raw is not None:
            import rawpy  # noqa: PLC0415 - as above

            try:
                pixels = self._raw.postprocess(use_camera_wb=True, output_color=rawpy.ColorSpace.sRGB, output_bps=8)
            except rawpy.LibRawError as error:
                raise _plain(error) from error
            finally:
                self._raw.close()
                self._raw = None
            developed = Image.fromarray(np.ascontiguousarray(pixels))
            self.im, self._size, self._mode = developed.im, developed.size, developed.mode
        return super().load()

    def _preview_exif(self) -> bytes:
        """The EXIF of the JPEG that the camera made beside; none where there is none."""
        import rawpy  # noqa: PLC0415 - as above

        try:
            thumb = self._raw.extract_thumb()
            data = bytes(thumb.data) if thumb.format == rawpy.ThumbFormat.JPEG else b""
            return upright_exif(next((one for one in _exif_segments(data)), b""))
        except (rawpy.LibRawError, ValueError, IndexError):
            return b""


def open_raw(file: IO[bytes], name: str) -> ImageFile.ImageFile:
    """Open a raw file.

    Raises:
        ImportError: the extra is missing.
        ValueError, MemoryError: it is damaged.
    """
    if not has_decoder():
        raise ImportError(EXTRA)
    return RawImageFile(file, name)


def exif_of(data: bytes) -> bytes:
    """Return the EXIF of a raw file that is built like a TIFF, upright and without maker's notes; b"" of others."""
    if data[:2] not in {b"II", b"MM"}:
        return b""
    try:
        return upright_exif(data)
    except ValueError:
        return b""


def upright_exif(data: bytes) -> bytes:
    """Return the describing tags of a TIFF structure as EXIF whose pixels stand upright.

    Raises:
        ValueError: a directory is damaged.
    """
    return tiff_tags.upright(tiff_tags.exif_of(data, _KEPT, without={_MAKER_NOTE})) if data else b""


def _exif_segments(data: bytes) -> list[bytes]:
    if not data.startswith(START):
        return []
    found = (data[one.start + 4 : one.end] for one in segments(data) if one.marker == 0xE1)
    return [content.removeprefix(EXIF) for content in found if content.startswith(EXIF)]


def _plain(error: Exception, *, known: bool = False) -> Exception:
    """LibRaw's error as one of those that decoders raise; a `known` kind of file of an unknown camera is sound."""
    text = error.args[0] if error.args else ""
    text = text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
    if "memory" in text.lower():
        return MemoryError(text)
    return ValueError(f"unsupported camera or file ({text})" if known and "nsupported" in text else f"LibRaw: {text}")
