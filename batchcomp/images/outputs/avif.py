"""AVIF of quality 95 without subsampling: smaller than JPEG, with a place for EXIF, ICC and XMP only."""

from __future__ import annotations

from typing import Any

from PIL import ExifTags, Image, features

from batchcomp.images.jpeg_segments import EXIF
from batchcomp.images.outputs.base import GREY, OutputFormat, standard_options
from batchcomp.images.picture import Metadata
from batchcomp.images.provider import provider
from batchcomp.images.tiff_tags import UPRIGHT, orientation_of, upright


class _KeptExif(Image.Exif):
    """EXIF that Pillow writes byte for byte; the orientation goes where AVIF has it, in the container."""

    def __init__(self, exif: bytes) -> None:
        super().__init__()
        self._kept = upright(exif)
        if (orientation := orientation_of(exif)) != UPRIGHT:
            self[ExifTags.Base.Orientation] = orientation

    def __len__(self) -> int:
        """Return more than 0, so that it is never taken for none."""
        return len(self._kept)

    def tobytes(self, offset: int = 8) -> bytes:
        """Return the bytes, whatever Pillow took out meanwhile."""
        del offset
        return EXIF + self._kept


class AvifOutput(OutputFormat):
    """AVIF as Pillow writes it."""

    name = "AVIF"
    max_side = 65_535
    holds = frozenset({GREY})

    def options(self, metadata: Metadata) -> dict[str, Any]:
        """See `OutputFormat`."""
        if not features.check("avif"):
            raise ValueError(f"{provider()} was built without AVIF")
        own: dict[str, Any] = {"quality": 95, "subsampling": "4:4:4", "speed": 6, "max_threads": 1}
        own |= {"exif": _KeptExif(metadata.exif)} if metadata.exif else {}
        return standard_options(metadata, density=False) | own
