"""Originals are never overwritten, not even where the user asks for files to be replaced."""

from __future__ import annotations

import stat
from hashlib import file_digest
from pathlib import Path

from batchcomp.archive.rows import Row
from batchcomp.errors import PictureError
from batchcomp.images.names import shown


def keep_original(path: Path, row: Row) -> None:
    """Refuse to write over the file that was archived, which is told by its content; a row's own bytes may be written.

    Raises:
        PictureError: what is at `path` is the source of `row`, and what would be written is not.
    """
    if not row.is_source and _is_source(path, row):
        raise PictureError(f"{shown(path)}: is the original, which is never overwritten; choose another folder with -o")


def _is_source(path: Path, row: Row) -> bool:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode) or status.st_size != row.source_bytes:
            return False
        with path.open("rb") as file:
            return file_digest(file, "sha256").hexdigest() == row.source_sha256
    except OSError:
        return False
