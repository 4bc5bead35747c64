"""How much a run has before it: counted ahead by a thread of its own while the run works."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Self

from batchcomp.errors import BatchcompError
from batchcomp.images.walk import Item, WalkFailure
from batchcomp.pipeline.originals import walk_originals
from batchcomp.pipeline.plan import pixel_bytes
from batchcomp.settings import CompressSettings

_CHANNELS = 3  # `estimate_bytes` is of RGB


class Forecast:
    """Files and pixels of a run, in all and done, as a context manager that ends the counting.

        with Forecast() as forecast:
            for event in compress_archive(settings, forecast):
                forecast.take(event.name)

    Only files that are taken have pixels; those that the archive holds already, links that are not followed and what
    cannot be read count as files alone.

    Attributes:
        files: known so far.
        pixels: of the files known so far, by their headers.
        pixels_done: of those that were taken.
        complete: whether all are known.
    """

    def __init__(self) -> None:
        self.files = self.pixels = self.pixels_done = 0
        self.complete = False
        self._lock = threading.Lock()
        self._waiting: dict[str, int] = {}  # what is before us: pixels by name, in order
        self._early: set[str] = set()  # what was done before it was counted
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        if self._thread is not None:
            self._thread.join()

    def expect(self, names: Iterable[tuple[str, int]]) -> None:
        """Note all that is to come: names and pixels."""
        for name, pixels in names:
            self._note(name, pixels)
        self.complete = True

    def count(self, settings: CompressSettings, is_unchanged: Callable[[Item], bool]) -> None:
        """Start to count what a run of `compress` will meet; a thread walks ahead of it.

        Args:
            settings: of the run.
            is_unchanged: tells of a file whether it will be passed over; called in the thread.
        """
        self._thread = threading.Thread(target=self._walk, args=(settings, is_unchanged), daemon=True, name="forecast")
        self._thread.start()

    def take(self, name: str) -> None:
        """Note that a file is done, be it stored, passed over or failed."""
        with self._lock:
            pixels = self._waiting.pop(name, None)
            if pixels is not None:
                self.pixels_done += pixels
            elif not self.complete:
                self._early.add(name)

    @property
    def in_hand(self) -> str:
        """The name of the first file that is not done; "" where none is known."""
        with self._lock:
            return next(iter(self._waiting), "")

    def _walk(self, settings: CompressSettings, is_unchanged: Callable[[Item], bool]) -> None:
        with suppress(BatchcompError, OSError):  # the run itself tells what is wrong
            found = walk_originals(settings)
            for item in found:
                if self._ended.is_set():
                    return
                taken = isinstance(item, Item) and not is_unchanged(item)  # else a link, or what cannot be read
                name = str(item.path) if isinstance(item, WalkFailure) else item.name
                self._note(name, pixel_bytes(item) // _CHANNELS if taken and isinstance(item, Item) else None)
            self.complete = True

    def _note(self, name: str, pixels: int | None) -> None:
        with self._lock:
            self.files += 1
            self.pixels += pixels or 0
            if name in self._early:
                self._early.discard(name)
                self.pixels_done += pixels or 0
            elif pixels is not None:
                self._waiting[name] = pixels
