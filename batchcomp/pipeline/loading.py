"""The first stage: files into memory."""

from __future__ import annotations

import time
from dataclasses import dataclass

from batchcomp.errors import NotAPictureError, PictureError, UnsupportedPictureError
from batchcomp.images.load import Source, decode_picture, read_source
from batchcomp.images.picture import Picture
from batchcomp.images.walk import Item
from batchcomp.pipeline.records import Event, Failed, Passed


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """A file in memory: with its picture, or with the reason why it is stored verbatim."""

    item: Item
    source: Source
    picture: Picture | None
    reason: str
    seconds: float


def load_item(item: Item | Event) -> Loaded | Event:
    """Read and decode one file; events pass through, so that everything is told in one order and by one thread."""
    if not isinstance(item, Item):
        return item
    started = time.perf_counter()
    reason, picture = "", None
    try:
        source = read_source(item.path)
        try:
            picture = decode_picture(source.data, str(item.path))
        except UnsupportedPictureError as error:
            reason = error.reason
    except NotAPictureError as error:
        return Passed(name=item.name, reason=str(error))
    except PictureError as error:
        return Failed(name=item.name, reason=str(error))
    return Loaded(item=item, source=source, picture=picture, reason=reason, seconds=time.perf_counter() - started)
