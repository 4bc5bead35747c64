"""What an index takes in: the segments that are there, and the rows of one of them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from batchcomp.archive import Damage, FoundDamageError, Row
from batchcomp.archive.manifest import created_in, line_path, picture_lines
from batchcomp.archive.reader import find_segments
from batchcomp.archive.segment import file_identity, open_segment
from batchcomp.index.loading import Taken


@dataclass(frozen=True, kw_only=True)
class Listing:
    """The segments of an archive at one moment: what identifies each one's file, and its size in bytes."""

    identities: dict[int, str]
    sizes: dict[int, int]


def list_segments(folder: Path) -> Listing:
    """Return the segments that are there.

    Raises:
        ArchiveNotFoundError: there is none.
        ArchiveError: the folder cannot be read.
    """
    found = {number: file_identity(folder, number) for number in find_segments(folder)}
    there = {number: identity for number, identity in found.items() if identity is not None}
    return Listing(
        # without the device, whose number may be another one after the disk was mounted anew
        identities={number: json.dumps(identity[1:]) for number, identity in there.items()},
        sizes={number: identity[2] for number, identity in there.items()},
    )


def read_segment(folder: Path, number: int, listing: Listing) -> Taken:
    """Return what a segment holds, after checking it; one with any damage is to be looked at every time.

    Raises:
        SegmentReplacedError: it was rewritten meanwhile.
        ArchiveError: its version is newer than this build reads, or it cannot be read.
    """
    size = listing.sizes[number]
    try:
        segment = open_segment(folder, number)
        data = segment.read_manifest()
    except FoundDamageError as error:
        return Taken(number=number, identity="", size=size, damage=((None, error.damage),))
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
        identity="" if damage else listing.identities[number],
        size=size,
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
