"""Reads one segment. Nothing in the file is trusted: sizes, offsets, names and flags are checked before use."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Final, NamedTuple, NoReturn
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from batchcomp.archive import durable, layout
from batchcomp.archive.damage import Damage, FoundDamageError
from batchcomp.archive.deflated import inflated
from batchcomp.archive.manifest import MAX_MANIFEST, check_manifest, created_in, picture_lines, row_lines
from batchcomp.archive.names import MANIFEST_NAME, entry_problem
from batchcomp.archive.rows import Row, parse_line, row_of
from batchcomp.archive.segments import segment_name
from batchcomp.archive.store import Identity, Location, StaleError, Store, store_of
from batchcomp.errors import ArchiveDamagedError, ArchiveError

UNREADABLE: Final = "the disk cannot read it (input/output error); copy the archive to a sound disk"


class EntrySpan(NamedTuple):
    """Where an entry lies: its local header at `offset`, nothing of it at or beyond `limit`.

    Its data have `size` bytes, deflated `packed`; None where they are stored as they are.
    """

    offset: int
    size: int
    crc: int
    limit: int
    packed: int | None = None

    @property
    def held_size(self) -> int:
        """Bytes of the data in the file."""
        return self.size if self.packed is None else self.packed

    def data_of(self, held: bytes) -> bytes:
        """The data that are held as `held`; ValueError where that cannot be inflated."""
        return held if self.packed is None else inflated(held, self.size)


class SegmentReplacedError(ArchiveError):
    """The segment was rewritten, by `prune` or `repair`, since it was opened: open it again."""


@dataclass(frozen=True, kw_only=True)
class Segment:
    """An opened segment: its usable entries by name, and what is wrong with others.

    `name` is that of its file in `store`, `identity` that of the bytes that were looked at.
    """

    store: Store
    name: str
    number: int
    spans: dict[str, EntrySpan]
    manifest: EntrySpan
    start: int  # offset of the central directory
    damage: tuple[Damage, ...]
    identity: Identity

    def __str__(self) -> str:
        return self.store.shown(self.name)

    def fail(self, reason: str, entry: str | None = None) -> NoReturn:
        """Raise the FoundDamageError of this segment."""
        raise FoundDamageError(Damage(segment=self.name, entry=entry, reason=reason))

    def read_manifest(self) -> bytes:
        """Return the manifest after checking its checksum and frame.

        Raises:
            ArchiveDamagedError: it is damaged.
            ArchiveError: its version is newer than this build reads, or the file cannot be read.
        """
        if max(self.manifest.size, self.manifest.held_size) > MAX_MANIFEST:
            self.fail(f"the manifest claims {self.manifest.size} bytes, at most {MAX_MANIFEST} are allowed")
        held = self.held_manifest()
        try:
            data = self.manifest.data_of(held)
        except ValueError as error:
            self.fail(f"the manifest is damaged: {error}")
        if zlib.crc32(data) != self.manifest.crc:
            self.fail("the manifest is damaged (CRC-32)")
        try:
            check_manifest(data, self.number)
        except ValueError as error:
            self.fail(f"the manifest is damaged: {error}")
        return data

    def held_manifest(self) -> bytes:
        """Return the manifest as the file holds it, unchecked. Errors: see `read_manifest`."""
        return self._read_span(self.manifest, None)

    def created(self) -> datetime | None:
        """Return when it was first written, in UTC, None where it does not say. Errors: see `read_manifest`."""
        return created_in(self.read_manifest())

    def picture_lines(self) -> Iterator[bytes]:
        """Yield the lines of the pictures, in the order of the entries. Errors: see `read_manifest`."""
        return picture_lines(self.read_manifest())

    def row_lines(self) -> Iterator[bytes]:
        """Yield the lines of pictures and of held entries. Errors: see `read_manifest`."""
        return row_lines(self.read_manifest())

    def row(self, line: bytes) -> Row:
        """Return the row in a line of this segment.

        Raises:
            ArchiveDamagedError: it breaks the rules.
        """
        try:
            return row_of(line, self.number)
        except ValueError as error:
            self.fail(f"a row breaks the rules: {error}", _entry_in(line))

    def rows(self, on_damage: Callable[[Damage], None]) -> Iterator[Row]:
        """Yield the rows of pictures in the order of the entries; one that breaks the rules is reported and left out.

        Raises:
            ArchiveDamagedError: the manifest as a whole is damaged.
        """
        for line in self.picture_lines():
            try:
                yield self.row(line)
            except FoundDamageError as error:
                on_damage(error.damage)

    def read(self, row: Row) -> bytes:
        """Return the row's payload; only bytes whose length and SHA-256 are right are ever returned.

        Raises:
            ArchiveDamagedError: they are not, or the entry is missing.
            ArchiveError: the file cannot be read.
        """
        span = self.spans.get(row.entry)
        if span is None:
            self.fail("the entry is missing or unusable", row.entry)
        if span.size != row.payload_bytes:
            self.fail(f"the entry has {span.size} bytes, its row says {row.payload_bytes}", row.entry)
        data = self._read_span(span, row.entry)
        if sha256(data).hexdigest() != row.payload_sha256:
            self.fail("the payload is damaged (SHA-256)", row.entry)
        return data

    def read_at(self, offset: int, size: int, entry: str | None = None) -> bytes:
        """Return up to `size` bytes at `offset`; each call is by itself, so threads do not disturb each other.

        Raises:
            SegmentReplacedError: another file has the name by now.
            ArchiveDamagedError: the disk cannot read them; they are of `entry`.
            ArchiveError: the file cannot be read.
        """
        try:
            with _reading(self.store, self.name, entry):
                return self.store.read(self.name, offset, size, self.identity)
        except ArchiveError as error:
            if isinstance(error.__cause__, StaleError):
                raise SegmentReplacedError(f"{self}: was rewritten while it was read; run again") from error
            raise

    def _read_span(self, span: EntrySpan, entry: str | None) -> bytes:
        head = self.read_at(span.offset, layout.LOCAL.size, entry)
        if len(head) < layout.LOCAL.size or not head.startswith(layout.LOCAL_SIGNATURE):
            self.fail("the local header is damaged", entry)
        start = span.offset + layout.LOCAL.size + sum(layout.LOCAL.unpack(head)[-2:])
        if start + span.held_size > span.limit:
            self.fail("the entry reaches into what follows it", entry)
        data = self.read_at(start, span.held_size, entry)
        if len(data) != span.held_size:
            self.fail("the entry is cut off", entry)
        return data


def open_segment(where: Location, number: int) -> Segment:
    """Read the central directory of a segment.

    Raises:
        ArchiveDamagedError: it is not a ZIP file, it was cut off, or its manifest is missing.
        ArchiveError: the file cannot be read.
    """
    return open_file(store_of(where), segment_name(number), number)


def open_file(store: Store, name: str, number: int) -> Segment:
    """Like `open_segment`, for a file of any name that should be segment `number`."""
    try:
        with _reading(store, name), store.open(name) as file, ZipFile(file) as archive:
            infos, start, identity = archive.infolist(), archive.start_dir, file.identity
    except (BadZipFile, ValueError, RuntimeError, struct.error, EOFError) as error:  # what zipfile raises
        reason = f"not a complete ZIP file ({error}); it was cut off or overwritten"
        if durable.is_unreadable(error.__context__):  # which zipfile takes for another kind of file
            reason = UNREADABLE
        raise FoundDamageError(Damage(segment=name, entry=None, reason=reason)) from error
    spans, damage = _check_entries(name, infos, start)
    manifest = spans.pop(MANIFEST_NAME, None)
    if manifest is None or manifest.limit != start:
        reason = "there is no usable manifest at the end of the segment"
        raise FoundDamageError(Damage(segment=name, entry=None, reason=reason))
    return Segment(
        store=store,
        name=name,
        number=number,
        spans=spans,
        manifest=manifest,
        start=start,
        damage=tuple(damage),
        identity=identity,
    )


def quick_manifest(where: Location, number: int) -> bytes:
    """Return the manifest of a segment, checked as always, without looking at the other entries.

    In a canonical segment it is the last entry, and its record the last of the directory, right before the end record.
    Anything else is read the long way. Errors: as for `open_segment` and `read_manifest`.
    """
    store, name = store_of(where), segment_name(number)
    with _reading(store, name), store.open(name) as file:
        file.seek(max(0, file.size - len(_LAST_BYTES) - layout.END.size))
        span = _last_span(file.read(), file.size)
        if span is not None and max(span.size, span.held_size) <= MAX_MANIFEST:
            file.seek(span.offset + layout.LOCAL.size + len(MANIFEST_NAME))
            held = file.read(span.held_size)
            with suppress(ValueError):
                data = span.data_of(held)
                if zlib.crc32(data) == span.crc and len(data) == span.size:
                    check_manifest(data, number)
                    return data
    return open_segment(store, number).read_manifest()


_LAST_BYTES: Final = bytes(layout.CENTRAL.size) + MANIFEST_NAME.encode()  # as long as the last record


def _last_span(tail: bytes, size: int) -> EntrySpan | None:
    """Return where the manifest lies, from the last bytes of a file of `size` bytes; None if it is not that simple."""
    if len(tail) != len(_LAST_BYTES) + layout.END.size or not tail.endswith(
        MANIFEST_NAME.encode(), 0, len(_LAST_BYTES)
    ):
        return None
    record, end = layout.CENTRAL.unpack_from(tail), layout.END.unpack_from(tail, len(_LAST_BYTES))
    crc, packed, length, name_size, offset = record[7], record[8], record[9], record[10], record[16]
    start = end[6]
    if record[0] != layout.CENTRAL_SIGNATURE or end[0] != layout.END_SIGNATURE or start == 0xFFFFFFFF:
        return None
    method = record[4]
    if method not in {layout.STORED, layout.DEFLATED} or (method == layout.STORED and packed != length):
        return None
    if name_size != len(MANIFEST_NAME) or offset + packed > start > size:
        return None
    return EntrySpan(offset, length, crc, start, packed if method == layout.DEFLATED else None)


def check_version(where: Location, number: int) -> None:
    """Refuse to continue after a segment of a newer version; damage is not reported here.

    Raises:
        ArchiveError: the version is newer than this build reads, or the file cannot be read.
    """
    try:
        quick_manifest(where, number)
    except ArchiveDamagedError:
        return


def _check_entries(segment: str, infos: list[ZipInfo], start: int) -> tuple[dict[str, EntrySpan], list[Damage]]:
    spans: dict[str, EntrySpan] = {}
    damage: list[Damage] = []
    ordered = sorted(infos, key=lambda info: info.header_offset)
    limits = [info.header_offset for info in ordered[1:]] + [start]
    for info, limit in zip(ordered, limits, strict=False):  # of no entries at all there is one limit
        name = info.orig_filename
        reason = "the name occurs twice" if name in spans else _entry_reason(info, limit)
        if reason:
            damage.append(Damage(segment=segment, entry=name, reason=reason))
        else:
            packed = info.compress_size if info.compress_type == ZIP_DEFLATED else None
            spans[name] = EntrySpan(info.header_offset, info.file_size, info.CRC, limit, packed)
    return spans, damage


def _entry_reason(info: ZipInfo, limit: int) -> str:
    """Say why an entry is not usable, "" if it is."""
    name = info.orig_filename
    is_manifest = name == MANIFEST_NAME
    problem = "" if is_manifest else entry_problem(name)
    if problem:
        return f"the name is not allowed: {problem}"
    stored = info.compress_type == ZIP_STORED and info.file_size == info.compress_size
    if not stored and not (is_manifest and info.compress_type == ZIP_DEFLATED):
        return "the entry is compressed; entries of an archive never are, but for the manifest"
    if info.flag_bits & ~layout.UTF8_NAME:
        return "the entry is encrypted or uses ZIP features that no archive has"
    if info.header_offset < 0 or info.header_offset + layout.LOCAL.size + len(name) + info.compress_size > limit:
        return "the entry reaches into what follows it"
    return ""


def _entry_in(line: bytes) -> str | None:
    """Return the entry that a broken row names, if it can be read."""
    try:
        entry = parse_line(line).get("entry")
    except ValueError:
        return None
    return entry[:1000] if isinstance(entry, str) else None


@contextmanager
def _reading(store: Store, name: str, entry: str | None = None) -> Iterator[None]:
    """Turn an OSError into an ArchiveError; what the disk cannot read is damage like any other."""
    try:
        with durable.reported(store.shown(name), "check the disk and its permissions"):
            yield
    except ArchiveError as error:
        if durable.is_unreadable(error.__cause__):
            raise FoundDamageError(Damage(segment=name, entry=entry, reason=UNREADABLE)) from error
        raise
