"""What libjpeg-turbo warns of in the picture data of a JPEG file. Pillow decodes the same way, but drops the warnings.

The package simplejpeg passes on the first one. The picture is made at an eighth of its size: all its data are read
then, and little else is done.
"""

from __future__ import annotations

import re
from typing import Final

import simplejpeg

EARLY, NONSENSE = "truncated JPEG file", "damaged JPEG file, its picture data make no sense"
FEW: Final = "a few bytes behind the last pixel"
SURPLUS: Final = 64  # bytes behind the last pixel; where there are more, the decoder went astray
_COLOURS: Final = {"Gray": "GRAY", "CMYK": "CMYK", "YCCK": "CMYK"}
_EXTRANEOUS: Final = re.compile(r"Corrupt JPEG data: (\d+) extraneous bytes before marker")
_MESSAGES: Final = {
    "Corrupt JPEG data: premature end of data segment": EARLY,
    "Corrupt JPEG data: bad Huffman code": NONSENSE,
}


def verdict(data: bytes) -> str | None:
    """Return what is wrong with the picture data, "" where all is right, None where the first warning does not tell.

    `FEW` where they go on a little, in front of any marker; up to 7 bytes at the end of a scan are not told.

    Args:
        data: a JPEG file with its EOI marker.
    """
    try:
        _, _, colours, _ = simplejpeg.decode_jpeg_header(data)
        simplejpeg.decode_jpeg(
            data,
            colorspace=_COLOURS.get(colours, "RGB"),
            fastdct=True,
            fastupsample=True,
            min_height=1,  # the least size that the decoder can make: an eighth
            min_width=1,
            strict=True,
        )
    except ValueError as error:
        found = _EXTRANEOUS.match(str(error))
        if found:
            return NONSENSE if int(found[1]) > SURPLUS else FEW
        return _MESSAGES.get(str(error))
    return ""
