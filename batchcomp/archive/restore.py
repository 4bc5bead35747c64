"""Gives a damaged segment back to the byte, with its recovery data, or leaves it alone."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

from batchcomp.archive import durable
from batchcomp.archive.mapped import Bytes, mapped
from batchcomp.archive.parity_header import Shape, find_header
from batchcomp.archive.rows import Row
from batchcomp.archive.segment import open_file
from batchcomp.archive.segments import parity_name, segment_name, temp_name
from batchcomp.archive.store import Folder, Store
from batchcomp.archive.verify import check_file
from batchcomp.errors import ArchiveDamagedError


@dataclass(frozen=True, kw_only=True)
class Restored:
    """A segment that is as it was written. `blocks` were computed; `rows` are its pictures and held entries."""

    blocks: int
    rows: list[tuple[bytes, Row]]  # with their lines
    pictures: int


def restore(store: Store, number: int, source: str, aside: str | None, *, write: bool) -> Restored | None:
    """Restore a damaged segment, of which `source` is what is left; None where that cannot be done.

    The whole is proved by its SHA-256, and checked like any segment, before it takes the damaged file's place in one
    step. `aside` is the name under which that is kept. Without `write` all happens in a temporary folder.

    Raises:
        ArchiveError: the disk refuses.
    """
    with durable.reported(store), nullcontext(str(store.scratch)) if write else TemporaryDirectory() as place:
        if not store.stat(parity_name(number)):
            return None
        temp = Path(place) / temp_name(number)
        try:
            with store.local(parity_name(number)) as parity, store.local(source) as damaged:
                blocks = _restored(parity, number, damaged, temp)
            if blocks is None:
                return None
            found = _checked(temp, number, blocks)
            if write and found is not None:
                if aside is not None:
                    store.set_aside(source, aside)
                store.replace(segment_name(number), temp)
            return found
        finally:
            durable.remove(temp)


def _restored(path: Path, number: int, source: Path, temp: Path) -> int | None:
    """Write the segment to `temp`; return how many blocks had to be computed, None where they cannot be."""
    from batchcomp.archive.parity_file import Parity  # noqa: PLC0415  # numpy, which most commands do without

    with mapped(path) as parity_data, mapped(source) as data:
        shape = find_header(parity_data)
        if shape is None or shape.number != number:
            return None
        parity = Parity(parity_data, shape)
        lost = parity.lost(data)
        if not parity.can_restore(lost):
            return None
        blocks = parity.blocks_of(data, lost)
        return len(blocks) if _write(temp, source, data, shape, blocks) == shape.sha256 else None


def _write(temp: Path, source: Path, data: Bytes, shape: Shape, blocks: Mapping[int, bytes]) -> bytes:
    """Write the segment to a new file, wait for the disk, and return the SHA-256 of what was written."""
    from batchcomp.archive.parity_file import mended  # noqa: PLC0415  # numpy, as above

    digest = sha256()
    durable.remove(temp)
    with durable.create(temp) as file:
        durable.narrow(file, source)
        for piece in mended(data, shape, blocks):
            digest.update(piece)
            durable.write(file, piece)
        durable.sync_file(file)
    return digest.digest()


def _checked(temp: Path, number: int, blocks: int) -> Restored | None:
    """Open the file as a segment; None where it is not sound, as where foreign recovery data has its name."""
    try:
        segment = open_file(Folder(temp.parent), temp.name, number)
        if check_file(segment):
            return None
        rows = [(line, segment.row(line)) for line in segment.row_lines()]
    except ArchiveDamagedError:
        return None
    return Restored(blocks=blocks, rows=rows, pictures=sum(1 for _ in segment.picture_lines()))
