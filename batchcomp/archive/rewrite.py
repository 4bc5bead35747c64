"""Puts a new segment in the place of an old one, in one step: the only way in which a committed segment changes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from batchcomp.archive import durable, parity
from batchcomp.archive.claims import claim_of
from batchcomp.archive.growing import GrowingSegment
from batchcomp.archive.promised import promised_part
from batchcomp.archive.rows import Row
from batchcomp.archive.segment import open_file
from batchcomp.archive.segments import segment_name
from batchcomp.archive.store import Folder, Identity, Location, store_of
from batchcomp.archive.verify import check_file
from batchcomp.errors import ArchiveError
from batchcomp.kinds import KINDS


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A manifest line to keep. `row` is None for lines of unknown types, `read` gives the payload that goes with it."""

    line: bytes
    row: Row | None = None
    read: Callable[[], bytes] | None = None


def rewrite(  # noqa: PLR0913  # what stays of the old file, all by keyword
    where: Location,
    number: int,
    kept: Iterable[Kept],
    *,
    created: datetime,
    aside: str | None = None,
    source: str | None = None,
    identity: Identity | None = None,
    after: int | None = None,
) -> None:
    """Write segment `number` anew from the lines to keep, check it, and only then let it take the old one's place.

    Whatever happens, the old file or the new one is there in full. The new one keeps the old one's time, if its header
    can be read, and allows others no more than it did.

    Args:
        where: The archive's folder, address or store.
        number: Of the segment.
        kept: What goes into it.
        created: Its time if the old one's is lost.
        aside: The name under which the old file is kept.
        source: The file that the lines come from, by default the old one.
        identity: Of the old one as the lines were taken from it; another one is not replaced.
        after: The number of the segment before if the old one's header is lost.

    Raises:
        ArchiveDamagedError: a payload to keep is damaged; the old file stays.
        ArchiveError: the disk refuses, or did not keep what was written; the old file stays.
    """
    store, name = store_of(where), segment_name(number)
    claim = claim_of(store, source or name)
    if claim is not None and claim.segment == number:
        created, after = claim.created or created, after if claim.after is None else claim.after
        part_of = claim.part_of
    else:
        part_of = promised_part(store, number)
    with durable.reported(store):
        mode = store.mode(source or name)
        growing = GrowingSegment(store, number, after=after, mode=mode, part_of=part_of)
        try:
            _fill(growing, kept)
            temp = growing.seal(created)
            _check(temp, number)
            if aside is not None:
                store.set_aside(name, aside)
                parity.keep(store, number, aside)
            growing.finish(created, instead=True, identity=identity)
        except BaseException:
            with suppress(OSError):
                growing.discard()
            raise
        parity.renew(store, number)


def _fill(growing: GrowingSegment, kept: Iterable[Kept]) -> None:
    for one in kept:
        if one.row is not None and one.read is not None:
            growing.append(one.row, one.line, one.read())
        else:
            growing.append_line(one.line, one.row)


def _check(temp: Path, number: int) -> None:
    if damage := check_file(open_file(Folder(temp.parent), temp.name, number)):
        raise ArchiveError(f"{temp.parent}: the disk did not keep what was written ({damage[0]}); check the disk")


def check_kind(row: Row, segment: str) -> None:
    """Refuse to rewrite a row of an unknown kind.

    Raises:
        ArchiveError: its kind is unknown.
    """
    if row.stored not in KINDS:
        raise ArchiveError(
            f"{segment}: {row.entry!r} is stored as {row.stored!r}, which this build cannot rewrite; upgrade batchcomp"
        )
