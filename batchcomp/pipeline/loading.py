"""The first stage: files into memory."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from batchcomp.errors import NotAPictureError, PictureError, UnsupportedPictureError
from batchcomp.images.isolated import Decoders
from batchcomp.images.load import Source, check_head, read_source
from batchcomp.images.patterns import compile_patterns
from batchcomp.images.picture import Picture
from batchcomp.images.walk import Item
from batchcomp.pipeline.records import Event, Failed, Passed
from batchcomp.settings import CompressSettings


@dataclass(kw_only=True)
class Loaded:
    """A file in memory: with its picture, or with the reason why it is stored verbatim.

    All who work on a file hold this, so that its pixels are gone as soon as one of them lets them go.
    """

    item: Item
    source: Source
    picture: Picture | None
    reason: str
    seconds: float

    def let_pixels_go(self) -> None:
        """Free the pixels. Their shape stays: the picture is black, at the cost of one byte."""
        if self.picture is not None:
            self.picture = replace(self.picture, pixels=np.broadcast_to(np.uint8(0), self.picture.pixels.shape))


class Loader:
    """Reads files and decodes their pictures, as a context manager; for use by `settings.workers` threads."""

    def __init__(self, settings: CompressSettings) -> None:
        self._limits = settings.limits
        self._carries = compile_patterns(settings.verbatim)
        self._decoders = Decoders(settings.workers, limits=settings.limits, isolate=settings.isolate)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._decoders.__exit__()

    def load(self, item: Item | Event) -> Loaded | Event:
        """Read and decode one file; events pass through, so that all is told in one order and by one thread."""
        if not isinstance(item, Item):
            return item
        try:
            return self._loaded(item)
        except NotAPictureError as error:
            return Passed(name=item.name, reason=str(error))
        except PictureError as error:
            return Failed(name=item.name, reason=str(error))

    def _loaded(self, item: Item) -> Loaded:
        started = time.perf_counter()
        carried = self._carries(item.name)
        if not carried:
            check_head(item.path)
        source = read_source(item.path, limits=self._limits)
        picture, reason = None, ""
        try:
            picture = self._decoders.decode(source.data, str(item.path))
        except UnsupportedPictureError as error:
            reason = error.reason
        except PictureError as error:
            if not carried:
                raise
            reason = carried_reason(error, str(item.path))
        seconds = time.perf_counter() - started
        return Loaded(item=item, source=source, picture=picture, reason=reason, seconds=seconds)


def carried_reason(error: PictureError, path: str) -> str:
    """Say in the manifest why a file that is no sound picture is in the archive all the same."""
    what = str(error).removeprefix(f"{path}: ").partition("; ")[0]
    return f"carried along by --verbatim: {what}"[:1000]
