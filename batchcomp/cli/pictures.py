"""The pictures that a command line names."""

from __future__ import annotations

from pathlib import Path

from batchcomp.errors import UsageError


def find_pictures(paths: list[Path]) -> list[Path]:
    """The pictures among files and folders, in the order of a walk.

    Raises:
        UsageError: there is none.
    """
    from batchcomp.images.formats import has_picture_suffix
    from batchcomp.images.walk import Item, walk

    found = [item.path for item in walk(paths) if isinstance(item, Item) and has_picture_suffix(item.name)]
    if not found:
        raise UsageError("no pictures there: name pictures or folders of them")
    return found
