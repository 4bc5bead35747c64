"""The segment that is being written: a temporary file that only ever grows, until it gets its name."""

from __future__ import annotations

import zlib
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from errno import EIO
from hashlib import sha256
from pathlib import Path
from typing import Final

from batchcomp.archive import durable, layout
from batchcomp.archive.deflated import deflated
from batchcomp.archive.layout import ZipEntry
from batchcomp.archive.manifest import MAX_MANIFEST, PartOf, count_rows, end_line, header_line, is_held
from batchcomp.archive.names import MANIFEST_NAME, clash_key, folder_keys, unique_entry
from batchcomp.archive.rows import MAX_ENTRY_BYTES, Row, row_line
from batchcomp.archive.segments import segment_name, temp_name
from batchcomp.archive.store import Identity, Location, store_of
from batchcomp.kinds import KINDS

PRIVATE: Final = 0o600  # the mode of a segment with a source that others may not read
_OTHERS_READ: Final = 0o004


@dataclass(frozen=True, kw_only=True, slots=True)
class _Written:
    entry: ZipEntry | None  # None for a shared row
    line: bytes
    end: int  # offset of the first byte after the entries so far
    lines_end: int  # bytes of manifest up to and including `line`


class GrowingSegment:
    """Payloads go to the disk at once; only names and rows stay in memory until `finish`.

    A picture counts from the one `append` that records it. If a write is interrupted before that (a full disk, Ctrl-C),
    its bytes stand behind the last counted entry, and the next step cuts them off.
    """

    def __init__(  # noqa: PLR0913  # what stays of an old file, all by keyword
        self,
        where: Location,
        number: int,
        *,
        after: int | None = None,
        mode: int = 0o777,
        part_of: PartOf | None = None,
        owner: str = "",
    ) -> None:
        """Create the file.

        Args:
            where: The archive's place.
            number: Of the segment.
            after: The number of the segment before.
            mode: The most that others may be allowed.
            part_of: The part of a job that it is.
            owner: Who writes it, where that is not the holder of the archive's lock.
        """
        self._store, self._number, self._after, self._part_of = store_of(where), number, after, part_of
        self._temp = self._store.scratch / temp_name(number, owner)
        self._file = durable.create(self._temp)
        self._mode = durable.mode_of(self._file) & mode  # as the umask gives it
        try:
            durable.set_mode(self._file, PRIVATE)  # until it is known what is in it
        except BaseException:
            with suppress(OSError):
                self.discard()
            raise
        self._written: list[_Written] = []
        self._taken: set[str] = set()
        self._folders: set[str] = set()
        self._lost = False

    @property
    def size(self) -> int:
        """Bytes that the segment would have now, but for the central directory and for deflating the manifest."""
        return self._end + self._lines_end

    @property
    def full(self) -> bool:
        """Whether the manifest comes near the limit of a reader."""
        return self._lines_end > MAX_MANIFEST // 2

    @property
    def sealed(self) -> bool:
        """Whether manifest and directory are written, so that nothing can be added any more."""
        return self._file.closed

    @property
    def _end(self) -> int:
        return self._written[-1].end if self._written else 0

    @property
    def _lines_end(self) -> int:
        return self._written[-1].lines_end if self._written else 0

    @property
    def number(self) -> int:
        """The segment's number."""
        return self._number

    def complete(self, row: Row, payload: bytes) -> Row:
        """Return `row` with what the writer fills in.

        Raises:
            ValueError: a field is not allowed, or the payload is too large.
        """
        if len(payload) > MAX_ENTRY_BYTES:
            raise ValueError(f"it has {len(payload)} bytes, at most {MAX_ENTRY_BYTES} are allowed")
        entry = unique_entry(row.natural_entry, self._taken, self._folders)
        digest = sha256(payload).hexdigest()
        size = len(payload)
        return replace(
            row, entry=entry, payload_bytes=size, payload_sha256=digest, owner_segment=0, segment=self._number
        )

    def append(self, row: Row, line: bytes, payload: bytes) -> None:
        """Write the payload of a complete row; `line` is the row's line. Raises OSError."""
        entry = layout.picture_entry(row, crc=zlib.crc32(payload), offset=self._end, held=is_held(line))
        self._write_at_end(layout.local_header(entry), payload)
        self._taken.add(clash_key(row.entry))
        self._folders.update(folder_keys(row.entry))
        self._count(line, entry)
        self._restrict(row)

    def append_line(self, line: bytes, row: Row | None = None) -> None:
        """Add a line without an entry, such as that of the shared row `row`; it is written by `finish`."""
        self._count(line, None)
        if row is not None:
            self._restrict(row)

    def _restrict(self, row: Row) -> None:
        """What others may not read in a source, they may not read in the segment."""
        if not row.permissions & _OTHERS_READ:
            self._mode &= PRIVATE

    def _count(self, line: bytes, entry: ZipEntry | None) -> None:
        end, lines_end = entry.end if entry else self._end, self._lines_end + len(line)
        self._written.append(_Written(entry=entry, line=line, end=end, lines_end=lines_end))

    def finish(self, created: datetime, *, instead: bool = False, identity: Identity | None = None) -> None:
        """Write manifest and central directory, wait for the disk, give the file its name. Can be repeated.

        `instead`: replace the segment that has this number, in one step; where `identity` is given, only that one.

        Raises:
            OSError: the store refuses; the segment can be finished later or discarded.
        """
        temp, name = self.seal(created), segment_name(self._number)
        if instead:
            self._store.replace(name, temp, identity)
        else:
            self._store.put_new(name, temp)

    def seal(self, created: datetime) -> Path:
        """Write manifest and directory and wait for the disk; return the temporary file, complete by now."""
        if not self.sealed:
            self._write_manifest(created)
            durable.set_mode(self._file, self._mode)
            self._sync()
            self._file.close()
        return self._temp

    def discard(self) -> None:
        """Delete the temporary file. Raises OSError."""
        self._file.close()
        durable.remove(self._temp)

    def _sync(self) -> None:
        """Wait for the disk, never again after a failure: the kernel may have dropped the bytes and report success."""
        if self._lost:
            raise OSError(EIO, "the disk failed to keep what was written")
        try:
            if self._store.renames:
                durable.sync_file(self._file)
        except OSError:
            self._lost = True
            raise

    def _write_manifest(self, created: datetime) -> None:
        header = header_line(self._number, created, self._after, self._part_of)
        lines = [header, *(done.line for done in self._written)]
        data = b"".join([*lines, end_line(*count_rows(done.line for done in self._written))])
        held = deflated(data)
        entry = manifest_entry(data, held, self._end)
        entries = [*(done.entry for done in self._written if done.entry), entry]
        self._write_at_end(layout.local_header(entry), held, layout.directory(entries, entry.end))

    def _write_at_end(self, *parts: bytes) -> None:
        if self._file.tell() != self._end:
            durable.cut(self._file, self._end)
        for part in parts:
            durable.write(self._file, part)


def manifest_entry(data: bytes, held: bytes, offset: int) -> ZipEntry:
    """Return the entry of the manifest `data` that is `held` as it is or deflated; its time is fixed."""
    (date, time), crc = layout.dos_stamp(0), zlib.crc32(data)
    packed = None if held == data else len(held)
    return ZipEntry(name=MANIFEST_NAME, size=len(data), crc=crc, offset=offset, date=date, time=time, packed=packed)


def utc_now() -> datetime:
    """Return the time that a header records."""
    return datetime.now(UTC)


def checked_line(row: Row) -> bytes:
    """Return the manifest line of a complete row whose kind the writer knows.

    Raises:
        ValueError: a field is not allowed.
    """
    if row.stored not in KINDS:
        raise ValueError(f"stored {row.stored!r}: expected one of {', '.join(KINDS)}")
    return row_line(row)
