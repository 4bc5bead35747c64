"""Checks every byte of an archive: payloads against their SHA-256, all else against what follows from the rows."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from batchcomp.archive import layout
from batchcomp.archive.damage import Damage, FoundDamageError
from batchcomp.archive.growing import manifest_entry
from batchcomp.archive.layout import ZipEntry
from batchcomp.archive.manifest import is_held
from batchcomp.archive.reader import find_segments, gap_damage, list_segments
from batchcomp.archive.rows import Row
from batchcomp.archive.segment import EntrySpan, Segment, open_segment
from batchcomp.archive.store import Location, Store, store_of
from batchcomp.kinds import KINDS

OnEntry = Callable[[Row, Damage | None], None]
Choose = Callable[[Row], bool]
_Place = tuple[int, str]  # a segment's number and an entry in it
Owners = dict[_Place, tuple[object, ...]]  # what the rows of entries say that shared rows refer to
_SAME = ("stored", "source_sha256", "source_bytes", "payload_sha256", "payload_bytes", "metadata_bytes", "width",
         "height", "mode", "model", "scale", "quality")  # fmt: skip  # must be equal in a shared row and its owner


@dataclass(frozen=True, kw_only=True)
class VerifyReport:
    """What `verify` looked at and what it found. `checked` of the `entries` payloads were read."""

    segments: int
    entries: int
    bytes: int  # on disk
    damage: tuple[Damage, ...]
    checked: int = 0

    @property
    def ok(self) -> bool:
        """Whether every byte that was looked at is as it was written."""
        return not self.damage


def verify(where: Location, *, on_entry: OnEntry | None = None, choose: Choose | None = None) -> VerifyReport:
    """Check all segments, superseded pictures too. `on_entry` is called after each picture with its first damage.

    `choose` says whose payload is read and compared; manifests, directories and the order of entries always are.

    Raises:
        ArchiveNotFoundError: there is no archive.
        ArchiveError: a version is newer than this build reads, or the disk cannot be read.
    """
    store = store_of(where)
    numbers = find_segments(store)
    check = _ArchiveCheck(store, on_entry or (lambda _row, _damage: None), choose or (lambda _row: True))
    check.damage += gap_damage(store, numbers)
    check.note_shares(numbers)
    for number in numbers:
        check.segment(number)
    size, damage = bytes_of(store), tuple(check.damage)
    return VerifyReport(segments=len(numbers), entries=check.entries, checked=check.checked, bytes=size, damage=damage)


def bytes_of(where: Location) -> int:
    """Return how large all segments of an archive are. Errors: see `verify`."""
    return sum(entry.size for entry in list_segments(where).entries)


@dataclass(frozen=True, kw_only=True)
class SegmentCheck:
    """What `check_segment` found in one segment; see `VerifyReport`."""

    entries: int
    checked: int
    damage: tuple[Damage, ...]


def check_segment(where: Location, number: int, owners: Owners, choose: Choose | None = None) -> SegmentCheck:
    """Check one segment as `verify` does; `owners` are those that `owners_for` tells of it.

    Raises:
        ArchiveError: its version is newer than this build reads, or the disk cannot be read.
    """
    check = _ArchiveCheck(store_of(where), lambda _row, _damage: None, choose or (lambda _row: True), owners=owners)
    check.note_shares([number])
    check.segment(number)
    return SegmentCheck(entries=check.entries, checked=check.checked, damage=tuple(check.damage))


def owners_for(where: Location, numbers: Collection[int]) -> dict[int, Owners]:
    """Return for each segment what its shared rows must agree with in those before it: then each can be checked alone.

    Segments that are damaged as a whole tell nothing here.
    """
    check = _ArchiveCheck(store_of(where), lambda _row, _damage: None, lambda _row: True)
    there = set(numbers)
    wanted = {number: places for number in numbers if (places := check.note_shares([number]))}
    asked = {place[0] for places in wanted.values() for place in places} & there
    owners = {place: content for number in asked for place, content in check.contents(number)}
    return {
        number: {place: owners[place] for place in places if place in owners and place[0] < number}
        for number, places in wanted.items()
    }


def check_file(segment: Segment) -> list[Damage]:
    """Check one segment by itself, wherever its file is; shared rows are left to `verify`."""
    check = _ArchiveCheck(segment.store, lambda _row, _damage: None, lambda _row: True, alone=True)
    check.opened(segment)
    return check.damage


class _ArchiveCheck:
    """Goes through the segments in order; shared rows refer backwards only, so their owners are known by then."""

    def __init__(
        self, store: Store, on_entry: OnEntry, choose: Choose, *, alone: bool = False, owners: Owners | None = None
    ) -> None:
        self._store, self._on_entry, self._choose, self._alone = store, on_entry, choose, alone
        self._wanted: set[_Place] = set()  # what shared rows refer to
        self._owners: Owners = dict(owners or {})
        self.damage: list[Damage] = []
        self.entries = self.checked = 0

    def note_shares(self, numbers: Iterable[int]) -> set[_Place]:
        """Find out which entries are shared, so that only those are remembered; return those that these refer to."""
        found: set[_Place] = set()
        for number in numbers:
            with suppress(FoundDamageError):  # reported when the segment is checked
                segment = open_segment(self._store, number)
                for line in segment.row_lines():
                    if b'"owner_segment":' in line:
                        with suppress(FoundDamageError):
                            found.add(segment.row(line).place)
        self._wanted |= found
        return found

    def contents(self, number: int) -> Iterator[tuple[_Place, tuple[object, ...]]]:
        """Yield of a segment's entries that are shared what their rows say."""
        with suppress(FoundDamageError):  # reported when the segment is checked
            segment = open_segment(self._store, number)
            for line in segment.row_lines():
                with suppress(FoundDamageError):
                    row = segment.row(line)
                    if not row.owner_segment and row.place in self._wanted:
                        yield row.place, content_of(row)

    def segment(self, number: int) -> None:
        """Check one segment of the folder."""
        try:
            self.opened(open_segment(self._store, number))
        except FoundDamageError as error:
            self.damage.append(error.damage)

    def opened(self, segment: Segment) -> None:
        """Check a segment; raises FoundDamageError where its manifest is damaged as a whole."""
        before = len(self.damage)
        self.damage += segment.damage
        manifest = segment.read_manifest()
        entries: dict[str, ZipEntry | None] = {}
        for line in segment.row_lines():
            try:
                row = segment.row(line)
            except FoundDamageError as error:
                self.damage.append(error.damage)
                continue
            if row.owner_segment:
                self._check_shared(segment, row)
            else:
                twice = "two rows name the entry" if row.entry in entries else ""
                entries[row.entry] = self._check_picture(segment, row, twice, held=is_held(line))
        self._check_unlisted(segment, entries.keys(), self.damage[before:])
        predicted = [entry for entry in entries.values() if entry]
        if len(self.damage) == before and len(predicted) == len(entries):
            self._check_frame(segment, manifest, predicted)

    def _note(self, segment: Segment, row: Row, reason: str) -> Damage:
        found = Damage(segment=segment.name, entry=row.entry, reason=reason)
        self.damage.append(found)
        return found

    def _check_shared(self, segment: Segment, row: Row) -> None:
        """A shared row must agree with its owner, the row of the entry that it refers to, which comes before it."""
        self.entries += 1
        owner = self._owners.get(row.place)
        reason = ""
        if self._alone:
            pass  # what it refers to may lie in another segment
        elif owner is None:
            reason = f"{row.path!r} refers to an entry of segment {row.owner_segment} that is not there before it"
        elif owner != content_of(row):
            reason = f"{row.path!r} does not agree with the row of the entry that it refers to"
        self._on_entry(row, self._note(segment, row, reason) if reason else None)

    def _check_picture(self, segment: Segment, row: Row, reason: str, *, held: bool) -> ZipEntry | None:
        """Return the entry that the row predicts, None where nothing can be predicted."""
        self.entries += 1
        span = segment.spans.get(row.entry)
        entry = _predict(row, span, held=held) if span else None
        if not reason:
            reason = self._reason(segment, row, span, entry) if span else "the entry is missing or unusable"
        if row.place in self._wanted:
            self._owners[row.place] = content_of(row)
        self._on_entry(row, self._note(segment, row, reason) if reason else None)
        return entry

    def _reason(self, segment: Segment, row: Row, span: EntrySpan, entry: ZipEntry | None) -> str:
        if self._choose(row):
            self.checked += 1
            return _picture_reason(segment, row, span, entry)
        sound = span.size == row.payload_bytes and (entry is None or entry.end == span.limit)
        return "" if sound else f"the entry has {span.size} bytes, its row says {row.payload_bytes}"

    def _check_unlisted(self, segment: Segment, listed: Collection[str], damage: Iterable[Damage]) -> None:
        known = {*listed, *(found.entry for found in damage)}
        for name in segment.spans:
            if name not in known:
                reason = "the entry is not in the manifest"
                self.damage.append(Damage(segment=segment.name, entry=name, reason=reason))

    def _check_frame(self, segment: Segment, manifest: bytes, pictures: list[ZipEntry]) -> None:
        """Compare what is left once all pictures are sound: the manifest's header, the directory, the end."""
        held = segment.held_manifest()  # how well it was deflated is the writer's affair
        last = manifest_entry(manifest, held, segment.manifest.offset)
        tail = layout.local_header(last) + held + layout.directory([*pictures, last], last.end)
        found = segment.read_at(last.offset, len(tail) + 1)
        starts_late = pictures[0].offset != 0 if pictures else last.offset != 0
        if found != tail or starts_late:
            reason = "the central directory or the manifest's header is damaged"
            self.damage.append(Damage(segment=segment.name, entry=None, reason=reason))


def content_of(row: Row) -> tuple[object, ...]:
    """Return what a shared row must have in common with its owner."""
    return tuple(getattr(row, name) for name in _SAME)


def _predict(row: Row, span: EntrySpan, *, held: bool) -> ZipEntry | None:
    """Return the entry that follows from a row, None for a kind that this version does not know."""
    known = row.stored in KINDS
    return layout.picture_entry(row, crc=span.crc, offset=span.offset, held=held) if known else None


def _picture_reason(segment: Segment, row: Row, span: EntrySpan, entry: ZipEntry | None) -> str:
    """Say what is wrong with a picture's bytes, "" if all are right."""
    try:
        payload = segment.read(row)
    except FoundDamageError as error:
        return error.damage.reason
    if zlib.crc32(payload) != span.crc:
        return "the checksum in the central directory is damaged (CRC-32)"
    if entry is None:
        return ""
    name = row.entry.encode()
    header = segment.read_at(span.offset, entry.header_size)
    if header[layout.LOCAL.size :][: len(name)] != name:
        return "local header and central directory name it differently"
    if header != layout.local_header(entry):
        return "the local header is damaged"
    return "" if entry.end == span.limit else "bytes that belong to no entry follow it"
