"""Sources that are suddenly empty: most likely a disk that is not mounted, which a nightly run must tell."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from batchcomp.images.formats import has_picture_suffix
from batchcomp.images.ignore import IGNORE_NAME
from batchcomp.images.names import shown
from batchcomp.images.patterns import compile_patterns
from batchcomp.images.walk import Found, NoFile, SkippedLink, WalkFailure
from batchcomp.pipeline.index import Index
from batchcomp.pipeline.originals import folders_of
from batchcomp.pipeline.records import Failed
from batchcomp.settings import CompressSettings


class Sources:
    """Notes in which of the folders a walk finds pictures, and says which of them should have had some."""

    def __init__(self, settings: CompressSettings, known: Index) -> None:
        self._known = known
        self._empty = folders_of(settings.paths)
        self._include = compile_patterns(settings.include or ("**",))
        self._exclude = compile_patterns(settings.exclude)

    def note(self, found: Found) -> None:
        """Take notice of what the walk found next; a folder that cannot be read is told by the walk itself."""
        if not self._empty or isinstance(found, SkippedLink | NoFile):
            return
        if isinstance(found, WalkFailure):
            self._empty = {start: path for start, path in self._empty.items() if path != found.path}
        elif self._known.get(found.name) or has_picture_suffix(found.name):
            self._empty = {start: path for start, path in self._empty.items() if not found.name.startswith(start)}

    def missing(self) -> Iterator[Failed]:
        """Yield a failure for each folder without any picture of which the archive holds some that this run takes."""
        for start, path in self._empty.items():
            if isinstance(path, Path) and os.path.lexists(
                path / IGNORE_NAME
            ):  # the disk is there, and all of it is ignored
                continue
            count = sum(name.startswith(start) and self._takes(name) for name in self._known.paths())
            if count:
                reason = f"no picture is there any more, the archive holds {count} of it; see that its disk is mounted"
                yield Failed(name=str(path), reason=f"{shown(path)}: {reason}, or leave it out")

    def _takes(self, name: str) -> bool:
        parts = name.split("/")
        above = ("/".join(parts[:depth]) for depth in range(1, len(parts) + 1))
        return self._include(name) and not any(map(self._exclude, above))
