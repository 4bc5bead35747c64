"""Saves from one damaged segment every row and payload that is proved intact, and says what is lost."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from batchcomp.archive.growing import checked_line
from batchcomp.archive.layout import LOCAL, picture_entry
from batchcomp.archive.manifest import held_line, is_held, row_lines
from batchcomp.archive.mapped import Bytes
from batchcomp.archive.names import MANIFEST_NAME, NOT_DERIVABLE, clash_key, natural_name
from batchcomp.archive.rewrite import Kept, check_kind
from batchcomp.archive.rezipped import Rezipped, whole_manifest
from batchcomp.archive.rows import Row, row_of
from batchcomp.archive.scan import Found, broken_shares, counted, find_entries, find_lines, manifest_lines
from batchcomp.archive.segment import Segment, open_file
from batchcomp.archive.segments import segment_name
from batchcomp.archive.store import Folder
from batchcomp.errors import ArchiveDamagedError, PictureError
from batchcomp.kinds import KINDS

Describe = Callable[[str, bytes], dict[str, Any]]
"""From a kind and a payload to what only the payload says: width, height, mode, model, scale, quality, metadata_bytes.
Raises PictureError where the payload is not of that kind."""

Shared = Mapping[tuple[int, str], Row]


@dataclass(frozen=True, kw_only=True)
class Lost:
    """What could not be saved. `path` is distrusted; it is the entry's name where no row says the path.

    `count` is the number of pictures, None if it is unknown; where they cannot be named, `path` is the segment's file.
    """

    path: str
    reason: str
    count: int | None = 1


@dataclass(kw_only=True)
class Salvage:
    """What was found in one segment: the lines to keep, in order, and what is lost."""

    kept: list[Kept] = field(default_factory=list)
    lost: list[Lost] = field(default_factory=list)
    rebuilt: int = 0  # pictures whose lost row was made anew, without measurements


def salvage(data: Bytes, path: Path, number: int, describe: Describe, shared: Shared) -> Salvage:
    """Return what is intact in the file `path`, mapped as `data`; its payloads are read from `data` when asked for.

    `shared` holds rows of other segments that share entries of this one: they repeat what a lost row said.

    Raises:
        ArchiveError: the file is of a newer version, or has a kind that this build does not know.
    """
    return _Salvager(data, path, number, describe, shared).run()


class _Salvager:
    def __init__(self, data: Bytes, path: Path, number: int, describe: Describe, shared: Shared) -> None:
        self._data, self._path, self._number, self._describe = data, path, number, describe
        self._shared = dict(shared)
        self._segment: Segment | None = None
        with suppress(ArchiveDamagedError):
            self._segment = open_file(Folder(path.parent), path.name, number)
        self._spans = self._segment.spans if self._segment else {}
        self._rezipped = Rezipped(path)
        self._entries, self._end = find_entries(data)
        self._by_name = {one.name: one for one in self._entries}
        self._taken: set[str] = set()  # clash keys of the entries that are kept
        self._starts: dict[str, int] = {}  # of their payloads
        self._named: set[str] = set()  # entries that a trusted row names
        self._ordered: list[tuple[int, Kept]] = []  # by where the payload lies
        self._whole = False  # whether the manifest's checksum is right, so that all rows are known
        self._seen = 0  # rows and entries that are saved, or named as lost
        self._row_bytes = 0  # of the rows that prove themselves
        self._result = Salvage()

    def run(self) -> Salvage:
        """Match the trusted rows with payloads, then rebuild the rows of what is left."""
        self._match()
        found = {start for start, _ in self._ordered}  # a damaged header must not bring a picture in twice
        for one in self._entries:
            if one.start not in found and one.name not in self._named and clash_key(one.name) not in self._taken:
                self._rebuild(one)
        if not self._whole:
            self._name_by_neighbours()
            self._count_the_unknown()
        ordered = self._ordered if self._whole else sorted(self._ordered, key=self._order)
        self._result.kept = [kept for _, kept in ordered]
        return self._result

    def _order(self, pair: tuple[int, Kept]) -> tuple[int, bool]:
        """Rows in the order of their payloads; shared rows where they were, but behind what they share."""
        at, kept = pair
        if kept.row is None or not kept.row.owner_segment:
            return at, False
        owner = self._starts.get(kept.row.entry, 0) if kept.row.owner_segment == self._number else 0
        return max(at, owner), True

    def _lines(self) -> list[bytes]:
        """Return the rows to trust: all if the manifest's checksum is right, else those whose own is."""
        if self._segment is not None:
            span = self._segment.manifest
            start = span.offset + LOCAL.size + len(MANIFEST_NAME)
            lines = manifest_lines(self._data, start, span)
            if lines is not None:
                self._whole = True
                return lines
        if manifest := whole_manifest(self._path):
            self._whole = True
            return list(row_lines(manifest))
        reason = "its row is damaged, and it brought no content of its own; the content is there under another name"
        self._result.lost += [Lost(path=path, reason=reason) for path in broken_shares(self._data, self._end)]
        self._seen += len(self._result.lost)
        return list(find_lines(self._data, self._end))

    def _match(self) -> None:
        expected = last = 0
        for line in self._lines():
            row = self._row(line)
            if row is None:
                continue
            self._seen, self._row_bytes = self._seen + 1, self._row_bytes + len(line)
            if row.owner_segment:
                self._shared[row.place] = row
                self._ordered.append((last, Kept(line=line, row=row)))
                continue
            start = self._place(row, line, expected)
            size = _header_size(row, line)
            expected = (expected + size if start is None else start) + row.payload_bytes
            last = last if start is None else start
            self._keep(row, line, start)

    def _row(self, line: bytes) -> Row | None:
        try:
            row = row_of(line, self._number)
        except ValueError:
            return None  # its entry may still be found by its header
        check_kind(row, f"segment {self._number}")
        return row

    def _place(self, row: Row, line: bytes, expected: int) -> int | None:
        """Return where the row's payload begins, by the first trace that leads to the right bytes."""
        size = _header_size(row, line)
        traces = [expected + size]
        if row.entry in self._spans:
            traces.append(self._spans[row.entry].offset + size)
        if row.entry in self._by_name:
            traces.append(self._by_name[row.entry].start)
        return next((at for at in dict.fromkeys(traces) if self._is_payload(row, at)), None)

    def _is_payload(self, row: Row, at: int) -> bool:
        with self._data[at : at + row.payload_bytes] as part:
            return len(part) == row.payload_bytes and sha256(part).hexdigest() == row.payload_sha256

    def _keep(self, row: Row, line: bytes, start: int | None) -> None:
        if clash_key(row.entry) in self._taken:  # a forged segment: two rows of one entry
            self._result.lost.append(Lost(path=row.path, reason="two rows name its entry"))
            return
        self._named.add(row.entry)
        if start is None and (info := self._rezipped.find(row)):
            self._taken.add(clash_key(row.entry))
            self._starts[row.entry] = info.header_offset
            read = partial(self._rezipped.read, info)
            self._ordered.append((info.header_offset, Kept(line=line, row=row, read=read)))
            return
        if start is None:
            if not is_held(line):
                self._result.lost.append(Lost(path=row.path, reason="its payload is damaged or missing"))
            return
        self._taken.add(clash_key(row.entry))
        self._starts[row.entry] = start
        self._ordered.append((start, Kept(line=line, row=row, read=self._reader(start, row.payload_bytes))))

    def _reader(self, start: int, size: int) -> Callable[[], bytes]:
        return lambda: bytes(self._data[start : start + size])

    def _rebuild(self, one: Found) -> None:
        """Make the row of an intact entry anew, from its local header and its payload."""
        self._seen += 1
        kind = next((name for name, kind in KINDS.items() if kind.code == one.recovery.kind), "")
        reason = "its payload is damaged or cut off"
        if one.sound:
            try:
                self._rebuilt(one, kind)
            except (PictureError, ValueError) as error:
                reason = str(error) if kind else f"kind {one.recovery.kind} is unknown to this build; upgrade batchcomp"
            else:
                return
        self._result.lost.append(Lost(path=natural_name(one.name, _suffix(kind), one.recovery.renamed), reason=reason))

    def _rebuilt(self, one: Found, kind: str) -> None:
        payload, recovery = bytes(self._data[one.start : one.end]), one.recovery
        path, digest = natural_name(one.name, _suffix(kind), recovery.renamed), sha256(payload).hexdigest()
        row = self._bare_row(one, kind, path, digest)
        same = self._shared.get((self._number, one.name))
        if same is not None and (same.payload_sha256, same.source_sha256) == (digest, row.source_sha256):
            own = {"path": path, "mtime_ns": row.mtime_ns, "permissions": row.permissions}
            row = replace(same, **own, owner_segment=0, segment=self._number)  # type: ignore[arg-type]
        else:
            row = replace(row, **self._describe(kind, payload))
        if recovery.renamed == NOT_DERIVABLE:
            self._result.lost.append(Lost(path=row.path, reason="only its full name: it is kept under this one"))
        line = held_line(checked_line(row)) if recovery.held else checked_line(row)
        self._taken.add(clash_key(one.name))
        self._starts[one.name] = one.start
        self._ordered.append((one.start, Kept(line=line, row=row, read=self._reader(one.start, len(payload)))))
        self._result.rebuilt += not recovery.held

    def _name_by_neighbours(self) -> None:
        """Name the entries that are gone with their rows, but that rows elsewhere share."""
        known = self._named | self._by_name.keys()
        for (number, entry), row in self._shared.items():
            if number == self._number and entry not in known:
                path = natural_name(entry, _suffix(row.stored), 0)
                reason = "it is gone with its row; its name is known from a picture that shares its content"
                self._result.lost.append(Lost(path=path, reason=reason))
                self._seen += 1

    def _count_the_unknown(self) -> None:
        """Say how many pictures are gone that nothing names, or that their number is unknown."""
        rows, frame = counted(self._data, self._end)
        if rows is None:
            reason = "its manifest is lost: whether more pictures were in it, and which, is unknown"
            if not self._ordered and not self._result.lost:
                reason = "nothing in it can be read: how many pictures were in it, and which, is unknown"
            self._result.lost.append(Lost(path=segment_name(self._number), reason=reason, count=None))
            return
        more, size = rows - self._seen, self._segment.manifest.size if self._segment else -1
        if more > 0 and self._row_bytes + frame != size:
            reason = f"{more} more picture{'s were' if more > 1 else ' was'} in it, named only in the lost manifest"
            self._result.lost.append(Lost(path=segment_name(self._number), reason=reason, count=more))

    def _bare_row(self, one: Found, kind: str, path: str, digest: str) -> Row:
        """Return the row as far as the local header says it."""
        recovery, size = one.recovery, one.end - one.start
        return Row(
            path=path,
            stored=kind,
            reason="" if kind == "compact" else "the reason was lost in a damaged manifest",
            source_bytes=size if recovery.source_bytes is None else recovery.source_bytes,
            mtime_ns=recovery.mtime_ns,
            permissions=recovery.permissions,
            source_sha256=recovery.source_sha256 or digest,
            width=0,
            height=0,
            mode="",
            entry=one.name,
            payload_bytes=size,
            payload_sha256=digest,
            segment=self._number,
        )


def _header_size(row: Row, line: bytes) -> int:
    return picture_entry(row, crc=0, offset=0, held=is_held(line)).header_size


def _suffix(kind: str) -> str:
    return KINDS[kind].suffix if kind in KINDS else ""
