"""Plain JPEG, for pictures that the networks do not serve well."""

from __future__ import annotations

from batchcomp.codec import jpeg
from batchcomp.codec.inner.base import check_alpha
from batchcomp.images.picture import Picture


class PlainJpeg:
    """Reads what `plain_jpeg` writes."""

    def read(self, data: bytes, size: tuple[int, int]) -> Picture:
        """See `Reader`."""
        pixels, metadata = jpeg.decode(data, expected=size)
        check_alpha(metadata, size)
        return Picture(pixels=pixels, metadata=metadata)
