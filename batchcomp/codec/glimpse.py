"""A small picture out of an entry, without the networks, at as little cost as its format allows."""

from __future__ import annotations

from batchcomp.codec import jpeg, pack, payload
from batchcomp.codec.compact import Decoded
from batchcomp.codec.inner import reader_of
from batchcomp.codec.inner.base import MAX_PIXELS
from batchcomp.errors import PayloadError
from batchcomp.images.picture import Picture


def glimpse(stored: str, data: bytes, size: tuple[int, int], least: int) -> Picture:
    """Return an entry's picture, smaller than it is stored where its format makes that cheaper.

    Args:
        stored: how it is stored: a kind that has a reader.
        data: the entry.
        size: (width, height) of the picture in full size; checked before any pixel is decoded.
        least: pixels that no side falls below for the sake of speed.

    Returns:
        The picture; its alpha channel, if any, is of full size.

    Raises:
        PayloadError: the entry is damaged, or of another size.
    """
    if size[0] * size[1] > MAX_PIXELS:
        raise PayloadError(f"{size[0]}x{size[1]} is more than {MAX_PIXELS:,} pixels; the entry may be forged")
    if stored == "jpeg":
        pixels, metadata = jpeg.decode(data, expected=size, least=least)
        return Picture(pixels=pixels, metadata=metadata)
    if stored in {"compact", "packed"}:
        header = pack.header_of(data) if stored == "packed" else payload.parse(data)
        if (header.width, header.height) != size:
            raise PayloadError("the payload's size is not the manifest's; use an intact copy")
        file = pack.picture_of(data) if stored == "packed" else data
        pixels, metadata = jpeg.decode(file, expected=header.compact_size, least=least)
        return Picture(pixels=pixels, metadata=metadata)
    found = reader_of(stored).read(data, size)
    return Picture(pixels=found.pixels, metadata=found.metadata) if isinstance(found, Decoded) else found
