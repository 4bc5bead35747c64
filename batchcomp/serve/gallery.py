"""One archive, opened to be served: its catalogue, its pictures, and where the work is done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from batchcomp.archive import ArchiveReader
from batchcomp.archive.reader import find_segments
from batchcomp.codec.codec import Codec
from batchcomp.images.isolated import Decoders
from batchcomp.pages.document import render_served, title_of
from batchcomp.places import Place
from batchcomp.serve.catalogue import Catalogue
from batchcomp.serve.pictures import Pictures
from batchcomp.serve.shared_work import SharedWork
from batchcomp.settings import available_cores

SCRIPTS = ("page.js", "viewer.js", "grid.js", "lightbox.js", "gallery.js")
STYLES = ("style.css", "gallery.css")
SMALL_BYTES = 64 << 20  # of thumbnails that are kept, in memory
SMALL_KEPT, LARGE_KEPT = 20_000, 200  # results that are kept at most
SMALL_QUEUE, LARGE_QUEUE = 400, 60  # that may wait
SEGMENTS_KEPT = 32  # whose directories stay in memory: a page of what was searched for may be of as many
RESTORED_AT_ONCE = 2  # one is encoded while the networks restore the other, which takes all cores


@dataclass(frozen=True, kw_only=True)
class GallerySettings:
    """What is served and how.

    Attributes:
        archive: its folder, or its address.
        sources: where the originals are, as `compress` was given them; may be empty.
        cache_bytes: of restored pictures that are kept, in a temporary folder.
        device: auto, cpu, cuda or mps.
        model: a model of your own, where the archive was made with one.
    """

    archive: Place
    sources: Sequence[Path] = ()
    cache_bytes: int = 1 << 30
    device: str = "auto"
    model: Path | None = field(default=None)


class Gallery:
    """One archive, opened.

    Raises:
        ArchiveNotFoundError: there is no archive.
        ArchiveError: it cannot be read.
        UsageError: a source or the device is not there.
        ModelError: the model file is unusable.
    """

    def __init__(self, settings: GallerySettings) -> None:
        self._settings = settings
        find_segments(settings.archive)  # or there is no archive
        codec = Codec.open(settings.model, device=settings.device)
        codec.prepare(restores=True)
        cores = available_cores()
        self._decoders = Decoders(max(1, cores // 2))
        self.reader = ArchiveReader(
            settings.archive, [], kept=SEGMENTS_KEPT
        )  # its segments are checked as they are read
        self.pictures = Pictures(self.reader, codec, settings.sources, self._decoders)
        self.catalogue = Catalogue(settings.archive)
        self.small = SharedWork(
            workers=cores, queue=SMALL_QUEUE, most_bytes=SMALL_BYTES, most=SMALL_KEPT, name="thumbnails"
        )
        self.large = SharedWork(
            workers=RESTORED_AT_ONCE,
            queue=LARGE_QUEUE,
            most_bytes=settings.cache_bytes,
            most=LARGE_KEPT,
            name="pictures",
        )

    @cached_property
    def page(self) -> tuple[str, str]:
        """The page's policy, and the page."""
        folder = self._settings.archive
        return render_served(
            "gallery.html.j2", scripts=SCRIPTS, styles=STYLES, title=title_of(folder.name or str(folder))
        )

    def close(self) -> None:
        """End what is at work, and give back memory and disk space."""
        self.small.close()
        self.large.close()
        self.pictures.close()
        self._decoders.__exit__()
        self.catalogue.close()
