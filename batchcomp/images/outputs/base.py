"""What every output format is, and the words for what a picture carries beside colours, EXIF, ICC and XMP."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import IO, Any, ClassVar, Final

from batchcomp.images.jpeg_segments import APP13, COM, EXIF, PHOTOSHOP
from batchcomp.images.picture import Metadata, Picture
from batchcomp.images.pillow_array import to_image

IPTC: Final = "IPTC and Photoshop data"
COMMENTS: Final = "comments"
SEGMENTS: Final = "JPEG segments of the maker"
TRAILER: Final = "bytes after the JPEG"
CHUNKS: Final = "PNG texts and marks"
DENSITY: Final = "pixels per inch"
GREY: Final = "greyscale layout"
PROFILE: Final = "ICC profiles (colours are converted to sRGB)"


class OutputFormat(ABC):
    """One format that pictures are restored to.

    Attributes:
        name: as Pillow calls it.
        max_side: the most pixels that a side may have.
        holds: which of the words above it has a place for.
        keeps_profile: whether it has a place for an ICC profile.
    """

    name: ClassVar[str]
    max_side: ClassVar[int]
    holds: ClassVar[frozenset[str]]
    keeps_profile: ClassVar[bool] = True

    @abstractmethod
    def options(self, metadata: Metadata) -> dict[str, Any]:
        """Return Pillow's save options, with the metadata. Raises ValueError: PIL was built without the format."""

    def write(self, picture: Picture, file: IO[bytes]) -> None:
        """Write a file. Raises what Pillow raises; PictureError where the alpha channel is damaged."""
        to_image(picture).save(file, self.name, **self.options(picture.metadata))


def carried(picture: Picture) -> Iterator[str]:
    """Yield the words for what a picture carries."""
    metadata = picture.metadata
    if any(is_photoshop(*segment) for segment in metadata.segments):
        yield IPTC
    if any(marker == COM for marker, _ in metadata.segments):
        yield COMMENTS
    if any(marker != COM and not is_photoshop(marker, content) for marker, content in metadata.segments):
        yield SEGMENTS
    if metadata.trailer:
        yield TRAILER
    if metadata.chunks:
        yield CHUNKS
    if metadata.dpi is not None:
        yield DENSITY
    if picture.mode == "L":
        yield GREY


def standard_options(metadata: Metadata, *, density: bool = True, xmp: bool = True) -> dict[str, Any]:
    """Return the options that Pillow has for EXIF, ICC, density and XMP in any format."""
    chosen: dict[str, Any] = {"exif": EXIF + metadata.exif if metadata.exif else b""}
    if metadata.icc:
        chosen["icc_profile"] = metadata.icc
    if metadata.dpi and density:
        chosen["dpi"] = metadata.dpi
    if metadata.xmp and xmp:
        chosen["xmp"] = metadata.xmp
    return chosen


def is_photoshop(marker: int, content: bytes) -> bool:
    """Tell whether a JPEG segment holds Photoshop's resources, such as IPTC."""
    return marker == APP13 and content.startswith(PHOTOSHOP)
