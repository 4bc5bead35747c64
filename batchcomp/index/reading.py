"""What an index takes in: the segments that are there, and the rows of one of them."""

from __future__ import annotations

from batchcomp.archive import Damage, FoundDamageError, Row, reader
from batchcomp.archive.manifest import created_in, line_path, picture_lines
from batchcomp.archive.segment import SegmentReplacedError, open_segment
from batchcomp.archive.store import Entry, Store
from batchcomp.index.loading import Taken

Segments = dict[int, Entry]  # of the segments of an archive at one moment, by number


def list_segments(store: Store) -> Segments:
    """Return the segments that are there.

    Raises:
        ArchiveNotFoundError: there is none.
        ArchiveError: the folder cannot be read.
    """
    listing = reader.list_segments(store)
    return dict(zip(listing.numbers, listing.entries, strict=True))


def read_segment(store: Store, number: int, entry: Entry) -> Taken:
    """Return what a segment holds, after checking it; one with any damage is to be looked at every time.

    Raises:
        SegmentReplacedError: it was rewritten meanwhile.
        ArchiveError: its version is newer than this build reads, or it cannot be read.
    """
    try:
        segment = open_segment(store, number)
        data = segment.read_manifest()
    except FoundDamageError as error:
        return Taken(number=number, identity="", size=entry.size, damage=((None, error.damage),))
    if segment.identity != entry.identity:
        raise SegmentReplacedError(f"{segment}: was rewritten while it was read; run again")
    rows: dict[int, Row | str] = {}
    damage: list[tuple[int | None, Damage]] = [(None, one) for one in segment.damage]
    for place, line in enumerate(picture_lines(data)):
        try:
            rows[place] = segment.row(line)
        except FoundDamageError as error:
            damage.append((place, error.damage))
            if path := _path_in(line):
                rows[place] = path
    created = created_in(data)
    return Taken(
        number=number,
        identity="" if damage else entry.identity,
        size=entry.size,
        created=int(created.timestamp()) if created else None,
        rows=rows,
        damage=tuple(damage),
    )


def _path_in(line: bytes) -> str | None:
    """Return the path of a row that breaks the rules, if it can be told."""
    path = line_path(line)
    try:
        return path if path is not None and path.encode() else None
    except UnicodeEncodeError:
        return None
