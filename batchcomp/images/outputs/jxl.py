"""JPEG XL of quality 95, by the extra `[jxl]`: with a place for EXIF and XMP.

Its encoder takes no ICC profile, so that colours are converted to sRGB; and readers take the orientation from the
codestream, not from EXIF, so that pixels are turned upright.
"""

from __future__ import annotations

import io
from importlib.util import find_spec
from typing import IO, Any

from PIL import Image, ImageCms

from batchcomp.images.orientation import turned
from batchcomp.images.outputs.base import GREY, OutputFormat
from batchcomp.images.picture import Metadata, Picture
from batchcomp.images.pillow_array import to_image
from batchcomp.images.tiff_tags import orientation_of, upright

MISSING = "JPEG XL needs one more package: pip install 'batchcomp[jxl]'"


class JxlOutput(OutputFormat):
    """JPEG XL as libjxl writes it."""

    name = "JXL"
    max_side = 2**18
    holds = frozenset({GREY})
    keeps_profile = False

    def options(self, metadata: Metadata) -> dict[str, Any]:
        """What the encoder is made with."""
        del metadata
        if find_spec("pillow_jxl") is None:
            raise ValueError(MISSING)
        return {"quality": 95, "effort": 7, "num_threads": 0, "use_container": True}

    def write(self, picture: Picture, file: IO[bytes]) -> None:
        """Write a file of upright pixels in sRGB."""
        metadata, made_with = picture.metadata, self.options(picture.metadata)
        from pillow_jxl import Encoder  # noqa: PLC0415 - of an extra

        image = in_srgb(turned(to_image(picture), orientation_of(metadata.exif)), metadata.icc)
        beside = {"exif": upright(metadata.exif) or None, "xmp": metadata.xmp or None, "jumb": None, "compress": False}
        file.write(
            Encoder(mode=image.mode, **made_with)(  # type: ignore[call-arg]
                image.tobytes(), image.width, image.height, jpeg_encode=False, **beside
            )
        )


def in_srgb(image: Image.Image, icc: bytes) -> Image.Image:
    """The same colours in sRGB; as it is where there is no profile, or none that can be understood."""
    if not icc or image.mode not in {"RGB", "RGBA"}:
        return image
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
        found = ImageCms.profileToProfile(image, profile, ImageCms.createProfile("sRGB"), outputMode=image.mode)
    except (ImageCms.PyCMSError, ImportError, OSError, ValueError, TypeError):  # or PIL was built without LittleCMS
        return image
    return image if found is None else found
