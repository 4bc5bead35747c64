"""The first stage: files into memory."""

from __future__ import annotations

import os
import time
from typing import Self

from batchcomp.errors import NotAPictureError, PictureError, UnsupportedPictureError
from batchcomp.images.formats import foreign
from batchcomp.images.isolated import Decoders
from batchcomp.images.load import Source, check_head, read_source
from batchcomp.images.other_files import kind_of
from batchcomp.images.patterns import compile_patterns
from batchcomp.images.raw import RAW
from batchcomp.images.walk import Item
from batchcomp.pipeline.job import Job, Loaded
from batchcomp.pipeline.originals import check_original, read_original
from batchcomp.pipeline.records import Event, Failed, Passed
from batchcomp.settings import CompressSettings

CARRIED = "carried along by --verbatim"


class Loader:
    """Reads files and decodes their pictures, as a context manager; for use by `settings.workers` threads."""

    def __init__(self, settings: CompressSettings) -> None:
        self._limits = settings.limits
        self._takes_anything = compile_patterns(settings.verbatim)
        self._follow = settings.follow_symlinks or os.name == "nt"  # where a path has more than one spelling
        self._decoders = Decoders(settings.workers, limits=settings.limits, isolate=settings.isolate)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._decoders.__exit__()

    def load(self, item: Item | Event) -> Job | Event:
        """Read and decode one file; events pass through, so that all appear in one order and from one thread."""
        if not isinstance(item, Item):
            return item
        try:
            return Job(loaded=self._loaded(item))
        except NotAPictureError as error:
            return Passed(name=item.name, reason=str(error), kind=kind_of(item.name))
        except PictureError as error:
            return Failed(name=item.name, reason=str(error), again=_may_pass(error.__cause__))

    def _source(self, item: Item) -> Source:
        root = None if self._follow else item.path.parents[item.name.count("/")]
        return read_source(item.path, limits=self._limits, root=root)

    def _loaded(self, item: Item) -> Loaded:
        started = time.perf_counter()
        takes_anything = self._takes_anything(item.name)
        name, remote = str(item.where), item.origin is not None
        if not takes_anything:
            check_original(item) if remote else check_head(item.path)
        source = read_original(item, self._limits) if remote else self._source(item)
        picture, reason = None, ""
        if takes_anything and foreign(item.name) == RAW:  # the file itself was asked for, not what can be made of it
            seconds = time.perf_counter() - started
            return Loaded(item=item, source=source, picture=None, reason=f"{CARRIED}: a {RAW} file", seconds=seconds)
        try:
            picture = self._decoders.decode(source.data, name)
        except UnsupportedPictureError as error:
            reason = error.reason
        except PictureError as error:
            if not takes_anything:
                raise
            reason = verbatim_reason(error, name)
        seconds = time.perf_counter() - started
        return Loaded(item=item, source=source, picture=picture, reason=reason, seconds=seconds)


def _may_pass(cause: BaseException | None) -> bool:
    """Whether a failure came from the system: a read that failed (decoders' errors have no errno), a process killed.

    Then it may pass without a change of the file.
    """
    return isinstance(cause, EOFError | MemoryError) or (isinstance(cause, OSError) and cause.errno is not None)


def verbatim_reason(error: PictureError, path: str) -> str:
    """Say in the manifest why a file that is no sound picture is in the archive all the same."""
    what = str(error).removeprefix(f"{path}: ").partition("; ")[0]
    return f"{CARRIED}: {what}"[:1000]
