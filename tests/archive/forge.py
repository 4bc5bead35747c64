"""Damages sound segments, and forges segments that no writer of ours would write."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from batchcomp.archive import ArchiveReader
from batchcomp.archive.rows import json_line, row_line, with_crc
from batchcomp.errors import ArchiveDamagedError

from .samples import sample_row

MANIFEST = "batchcomp-manifest.jsonl"


def flip(path: Path, position: int) -> None:
    """Change one bit of one byte."""
    data = bytearray(path.read_bytes())
    data[position] ^= 0x10
    path.write_bytes(data)


def payloads(folder: Path) -> dict[str, bytes]:
    """Return what can still be read; damage may stop a picture, never change it."""
    found, archive = {}, ArchiveReader.open(folder)
    for row in archive.rows():
        try:
            found[row.path] = archive.read(row)
        except ArchiveDamagedError as error:
            assert "000001.zip" in str(error)  # noqa: PT017
    return found


def picture(**fields: Any) -> dict[str, Any]:
    """Return the JSON object of a sound row whose payload is b"data"."""
    digest = "3a6eb0790f39ac87c94f3856b2dd2c5d110e6811602261a9a923d3bb23adc8b7"
    row = sample_row("a.png", entry="a.png.jpg", payload_bytes=4, payload_sha256=digest)
    value = json.loads(row_line(row))
    del value["crc"]  # each line gets its own
    return {**value, **fields}


def forge(folder: Path, rows: list[dict[str, Any]], entries: list[tuple[str, bytes]], **header: Any) -> None:
    """Write a segment with the standard library."""
    folder.mkdir()
    first = {"type": "segment", "format": "batchcomp-archive", "version": 1, "segment": 1, **header}
    last = {"type": "end", "pictures": len(rows)}
    lines = [json_line(first), *(with_crc(json_line(row)) for row in rows), json_line(last)]
    with zipfile.ZipFile(folder / "000001.zip", "w") as archive:
        for name, data in [*entries, (MANIFEST, b"".join(lines))]:
            archive.writestr(zipfile.ZipInfo(name), data)


def add_line(manifest: bytes, line: bytes) -> bytes:
    """Put a picture line before the end line and count it."""
    lines = manifest.splitlines(keepends=True)
    return b"".join([*lines[:-1], line, lines[-1].replace(b'"pictures":1', b'"pictures":2')])


def repack(path: Path, change: Callable[[bytes], bytes]) -> None:
    """Write the segment again with a changed manifest."""
    with zipfile.ZipFile(path) as archive:
        parts = [(info.filename, archive.read(info)) for info in archive.infolist()]
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in parts:
            archive.writestr(zipfile.ZipInfo(name), change(data) if name == MANIFEST else data)
