"""Where symbolic links in folders lead, for the walk."""

from __future__ import annotations

import os
from pathlib import Path

from batchcomp.images.names import ARCHIVE_SUFFIX


class Links:
    """The folders that links have led to, so that none is entered through links twice, and the root never."""

    def __init__(self, root: Path) -> None:
        status = root.stat()
        self._seen = {(status.st_dev, status.st_ino)}

    def blocks(self, entry: os.DirEntry[str]) -> bool:
        """Tell whether a folder is an archive or was entered through a link before; note that it is entered now."""
        try:
            status = entry.stat()
        except OSError:
            return False  # opening it will report that
        if os.path.realpath(entry.path).endswith(ARCHIVE_SUFFIX):
            return True
        key = (status.st_dev, status.st_ino)
        known = key in self._seen
        self._seen.add(key)
        return known


def leads_to_folder(entry: os.DirEntry[str], *, follow: bool) -> bool:
    """Tell whether an entry is a folder, or, where links are followed, one to a folder."""
    try:
        return entry.is_dir(follow_symlinks=follow)
    except OSError:  # a link in a circle
        return False


def is_broken(entry: os.DirEntry[str]) -> bool:
    """Tell whether an entry is a link that leads to nothing."""
    try:
        return entry.is_symlink() and not entry.stat()
    except OSError:
        return True
