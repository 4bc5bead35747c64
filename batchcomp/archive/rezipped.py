"""Reads what another ZIP tool made of a segment: other order, other extra fields, compressed again.

Only content is taken: the manifest if its checksum is right, payloads if they are those of their rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from zipfile import ZipFile, ZipInfo

from batchcomp.archive.claims import ZIP_ERRORS
from batchcomp.archive.manifest import MAX_MANIFEST
from batchcomp.archive.names import MANIFEST_NAME
from batchcomp.archive.rows import Row


def whole_manifest(path: Path) -> bytes | None:
    """Return the manifest in any ZIP file, None if there is none, it is too large, or its CRC-32 is wrong."""
    try:
        with ZipFile(path) as archive, archive.open(MANIFEST_NAME) as file:
            data = file.read(MAX_MANIFEST + 1)
            return data if len(data) <= MAX_MANIFEST and not file.read(1) else None
    except ZIP_ERRORS:
        return None


class Rezipped:
    """The entries of a ZIP file, found by content."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._by_size: dict[int, list[ZipInfo]] = {}
        self._digests: dict[int, str] = {}  # by offset of the local header
        self.names: set[str] = set()
        for info in _infos(path):
            self._by_size.setdefault(info.file_size, []).append(info)
            self.names.add(info.orig_filename)
        self.names.discard(MANIFEST_NAME)

    def find(self, row: Row) -> ZipInfo | None:
        """Return the entry that holds the payload of a row, whatever it is called; one of its name first."""
        found = self._by_size.get(row.payload_bytes, [])
        ordered = sorted(found, key=lambda info: info.orig_filename != row.entry)
        return next((info for info in ordered if self._digest(info) == row.payload_sha256), None)

    def read(self, info: ZipInfo) -> bytes:
        """Return the content of an entry, b"" if it cannot be had; never more than the directory says."""
        try:
            with ZipFile(self._path) as archive, archive.open(info) as file:
                return file.read(info.file_size)
        except ZIP_ERRORS:
            return b""

    def _digest(self, info: ZipInfo) -> str:
        if info.header_offset not in self._digests:
            self._digests[info.header_offset] = sha256(self.read(info)).hexdigest()
        return self._digests[info.header_offset]


def _infos(path: Path) -> Iterator[ZipInfo]:
    try:
        with ZipFile(path) as archive:
            yield from archive.infolist()
    except ZIP_ERRORS:
        return
