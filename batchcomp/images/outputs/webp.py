"""WebP of quality 95: small, but with a place for EXIF, ICC and XMP only."""

from __future__ import annotations

from typing import Any

from PIL import features

from batchcomp.images.outputs.base import OutputFormat, standard_options
from batchcomp.images.picture import Metadata
from batchcomp.images.provider import provider


class WebpOutput(OutputFormat):
    """WebP; greyscale pictures become colour pictures."""

    name = "WEBP"
    max_side = 16_383
    holds = frozenset[str]()

    def options(self, metadata: Metadata) -> dict[str, Any]:
        """See `OutputFormat`."""
        if not features.check("webp"):
            raise ValueError(f"{provider()} was built without WebP")
        own = {"quality": 95, "method": 4, "exact": True}  # exact: colours under full transparency stay
        return standard_options(metadata, density=False) | own
