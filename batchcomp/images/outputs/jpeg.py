"""JPEG of quality 95 without subsampling: with a place for everything that a JPEG source had, but no alpha channel."""

from __future__ import annotations

from typing import IO, Any

from batchcomp.images.extra_segments import join_segments
from batchcomp.images.jpeg_segments import MAX_SIDE
from batchcomp.images.outputs.base import (
    COMMENTS,
    DENSITY,
    GREY,
    IPTC,
    SEGMENTS,
    TRAILER,
    OutputFormat,
    standard_options,
)
from batchcomp.images.picture import Metadata, Picture


class JpegOutput(OutputFormat):
    """JPEG; segments come back as they were."""

    name = "JPEG"
    max_side = MAX_SIDE
    holds = frozenset({IPTC, COMMENTS, SEGMENTS, TRAILER, DENSITY, GREY})

    def options(self, metadata: Metadata) -> dict[str, Any]:
        """See `OutputFormat`."""
        own = {"quality": 95, "subsampling": 0, "extra": join_segments(metadata.segments)}
        return standard_options(metadata) | own

    def write(self, picture: Picture, file: IO[bytes]) -> None:
        """Write a file, and behind it what stood behind its source."""
        super().write(picture, file)
        file.write(picture.metadata.trailer)
