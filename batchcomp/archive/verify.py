"""Checks every byte of an archive: payloads against their SHA-256, all the rest against what the rows predict."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from batchcomp.archive import layout
from batchcomp.archive.damage import Damage, FoundDamageError
from batchcomp.archive.growing import manifest_entry
from batchcomp.archive.layout import Entry
from batchcomp.archive.reader import find_segments, gap_damage
from batchcomp.archive.rows import KINDS, Row
from batchcomp.archive.segment import Segment, Span, open_segment
from batchcomp.archive.segments import segment_name

OnEntry = Callable[[Row, Damage | None], None]


@dataclass(frozen=True, kw_only=True)
class VerifyReport:
    """What `verify` looked at and what it found."""

    segments: int
    entries: int
    bytes: int  # on disk
    damage: tuple[Damage, ...]

    @property
    def ok(self) -> bool:
        """Whether every byte is as it was written."""
        return not self.damage


def verify(folder: Path, *, on_entry: OnEntry | None = None) -> VerifyReport:
    """Check all segments, superseded pictures too. `on_entry` is called after each picture with its first damage.

    Raises:
        ArchiveNotFoundError: there is no archive.
        ArchiveError: a version is newer than this build reads, or the disk cannot be read.
    """
    numbers = find_segments(folder)
    damage, entries = gap_damage(numbers), 0
    for number in numbers:
        check = _SegmentCheck(on_entry or (lambda _row, _damage: None))
        try:
            check.run(open_segment(folder, number))
        except FoundDamageError as error:
            check.damage.append(error.damage)
        damage += check.damage
        entries += check.entries
    size = sum((folder / segment_name(number)).stat().st_size for number in numbers)
    return VerifyReport(segments=len(numbers), entries=entries, bytes=size, damage=tuple(damage))


class _SegmentCheck:
    """A segment is canonical: from rows and payloads follows every other byte. So all of them are compared."""

    def __init__(self, on_entry: OnEntry) -> None:
        self._on_entry = on_entry
        self.damage: list[Damage] = []
        self.entries = 0

    def run(self, segment: Segment) -> None:
        """Check one segment; raises FoundDamageError where its manifest is damaged as a whole."""
        self.damage += segment.damage
        manifest = segment.read_manifest()
        entries: dict[str, Entry | None] = {}
        for row in segment.rows(self.damage.append):
            twice = row.entry in entries
            entries[row.entry] = self._check_picture(segment, row, "two rows name the entry" if twice else "")
        self._check_unlisted(segment, entries.keys())
        predicted = [entry for entry in entries.values() if entry]
        if not self.damage and len(predicted) == len(entries):
            self._check_frame(segment, manifest, predicted)

    def _check_picture(self, segment: Segment, row: Row, reason: str) -> Entry | None:
        """Return the entry that the row predicts, None where nothing can be predicted."""
        self.entries += 1
        span = segment.spans.get(row.entry)
        entry = _predict(row, span) if span else None
        if not reason:
            reason = _picture_reason(segment, row, span, entry) if span else "the entry is missing or unusable"
        found = Damage(segment=segment.path.name, entry=row.entry, reason=reason) if reason else None
        if found:
            self.damage.append(found)
        self._on_entry(row, found)
        return entry

    def _check_unlisted(self, segment: Segment, listed: Collection[str]) -> None:
        known = {*listed, *(damage.entry for damage in self.damage)}
        for name in segment.spans:
            if name not in known:
                reason = "the entry is not in the manifest"
                self.damage.append(Damage(segment=segment.path.name, entry=name, reason=reason))

    def _check_frame(self, segment: Segment, manifest: bytes, pictures: list[Entry]) -> None:
        """Compare what is left once all pictures are sound: the manifest's header, the directory, the end."""
        last = manifest_entry(manifest, segment.manifest.offset)
        tail = layout.local_header(last) + manifest + layout.directory([*pictures, last], last.end)
        found = segment.read_at(last.offset, len(tail) + 1)
        starts_late = pictures[0].offset != 0 if pictures else last.offset != 0
        if found != tail or starts_late:
            reason = "the central directory or the manifest's header is damaged"
            self.damage.append(Damage(segment=segment.path.name, entry=None, reason=reason))


def _predict(row: Row, span: Span) -> Entry | None:
    """Return the entry that follows from a row, None for a kind that this version does not know."""
    return layout.picture_entry(row, crc=span.crc, offset=span.offset) if row.stored in KINDS else None


def _picture_reason(segment: Segment, row: Row, span: Span, entry: Entry | None) -> str:
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
