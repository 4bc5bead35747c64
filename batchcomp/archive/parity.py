"""Recovery data beside each segment: written after it, renewed with it, and used by `repair` before all else.

Readers need none of it. A crash between a segment and its parity leaves a sound archive; the next run writes what is
missing. Whatever is restored is proved by the segment's SHA-256.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from batchcomp.archive import durable
from batchcomp.archive.damage import Damage, FoundDamageError
from batchcomp.archive.mapped import mapped
from batchcomp.archive.parity_header import HEADER_BYTES, Shape, find_header, parse_header
from batchcomp.archive.segment import open_segment
from batchcomp.archive.segments import parity_name, parity_numbers, segment_name, segment_numbers
from batchcomp.archive.store import Location, Store, store_of
from batchcomp.archive.verify import check_file

DEFAULT_SHARE: Final = 0.05
UNUSABLE = "the recovery data is damaged and of no use; `batchcomp repair` writes it anew"
HURT = "the recovery data is damaged in part; `batchcomp repair` writes it anew"
OTHER = "the recovery data is of another state of the segment; `batchcomp repair` writes it anew"


def share_for(where: Location, asked: float | None = None) -> float:
    """Return the parity of an archive, 0 to 1: what is asked for, else what its newest parity file says, else 0."""
    if asked is not None:
        return asked
    store = store_of(where)
    numbers = parity_numbers(store)
    for number in reversed(numbers):
        if shape := _header(store, number):
            return shape.share / 10_000
    return DEFAULT_SHARE if numbers else 0.0  # there are some, all beyond reading


def write(where: Location, number: int, share: float) -> None:
    """Write the parity file of a sound segment, in one step; nothing at a share of 0. Raises OSError."""
    if not share:
        return
    from batchcomp.archive.parity_file import build  # noqa: PLC0415  # numpy, which most commands do without

    store = store_of(where)
    temp = store.scratch / f".{parity_name(number)}.tmp"
    try:
        durable.remove(temp)
        with store.local(segment_name(number)) as segment, mapped(segment) as data, durable.create(temp) as file:
            durable.narrow(file, segment)
            for part in build(data, number, share):
                durable.write(file, part)
            if store.renames:
                durable.sync_file(file)
        store.replace(parity_name(number), temp)
    except BaseException:
        with suppress(OSError):
            durable.remove(temp)
        raise


def renew(store: Store, number: int) -> None:
    """Write the parity file of a segment that was rewritten anew, if it has one. Raises OSError."""
    if store.stat(parity_name(number)):
        shape = _header(store, number)
        write(store, number, shape.share / 10_000 if shape else share_for(store))


def keep(store: Store, number: int, aside: str) -> None:
    """Keep the parity of a segment that it could not restore beside the damaged file. Raises OSError."""
    if store.stat(parity_name(number)) and store.stat(aside):
        with suppress(FileExistsError):  # of an interrupted repair
            store.set_aside(parity_name(number), f"{aside}.parity")


def catch_up(where: Location, share: float) -> Iterator[Damage]:
    """Give every segment that lacks it parity of this share, and remove all parity at 0; yield what is damaged.

    A damaged segment gets none: parity would make its damage permanent. The newest segment comes first, since its
    parity says what `share_for` remembers. The caller holds the lock.

    Raises:
        ArchiveError: the disk refuses.
    """
    store = store_of(where)
    with durable.reported(store):
        for number in reversed(segment_numbers(store) if share else parity_numbers(store)):
            if not share:
                store.delete(parity_name(number))
            elif not _is_current(store, number, share):
                found = _first_damage(store, number)
                if found is None:
                    write(store, number, share)
                else:
                    yield found


def _first_damage(store: Store, number: int) -> Damage | None:
    try:
        return next(iter(check_file(open_segment(store, number))), None)
    except FoundDamageError as error:
        return error.damage


def _is_current(store: Store, number: int, share: float) -> bool:
    """Tell from the first header whether a segment has parity of this share; its other bytes are not looked at."""
    if not store.stat(parity_name(number)):
        return False
    shape, segment = _first_header(store, number), store.stat(segment_name(number))
    if shape is None or segment is None:
        return False
    return (shape.number, shape.size, shape.share) == (number, segment.size, round(share * 10_000))


def _header(store: Store, number: int) -> Shape | None:
    """Return what a parity file says of itself, by whichever copy of its header can be read."""
    shape = _first_header(store, number)
    if shape is not None:
        return shape
    with store.local(parity_name(number)) as path, mapped(path) as data:
        return find_header(data)


def _first_header(store: Store, number: int) -> Shape | None:
    """Return what the first copy of its header says, None where that is damaged or the disk cannot read it."""
    try:
        return parse_header(store.read(parity_name(number), 0, HEADER_BYTES))
    except OSError as error:
        if durable.is_unreadable(error):
            return None
        raise


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What the parity file of a segment can do.

    Attributes:
        segment: the segment's file name.
        block: bytes of a block.
        blocks: how many the segment has.
        bears: how many lost ones it makes up for, wherever they are.
        bears_bytes: how many damaged bytes in one piece.
        lost: how many are lost now.
        restorable: whether these can be had back.
        problem: what is wrong with the parity file itself, "" if nothing is.
    """

    segment: str
    block: int = 0
    blocks: int = 0
    bears: int = 0
    bears_bytes: int = 0
    lost: int = 0
    restorable: bool = False
    problem: str = ""

    @property
    def damage(self) -> Damage | None:
        """The finding, if the parity file is at fault."""
        return Damage(segment=f"{self.segment}.parity", entry=None, reason=self.problem) if self.problem else None


def standing(where: Location, number: int, *, sound: bool) -> Standing | None:
    """Look at the parity file of a segment, and at every byte of both; None where there is none.

    `sound` says whether the segment itself was found to be without damage.

    Raises:
        ArchiveError: the disk refuses.
    """
    store, name, segment = store_of(where), parity_name(number), segment_name(number)
    with durable.reported(store.shown(name)):
        return _standing(store, number, sound=sound) if store.stat(name) and store.stat(segment) else None


def _standing(store: Store, number: int, *, sound: bool) -> Standing:
    from batchcomp.archive.parity_file import Parity  # noqa: PLC0415  # numpy, as above

    segment = segment_name(number)
    with (
        store.local(parity_name(number)) as parity_path,
        store.local(segment) as path,
        mapped(parity_path) as parity_data,
        mapped(path) as data,
    ):
        shape = find_header(parity_data)
        if shape is None:
            return Standing(segment=segment, problem=UNUSABLE)
        parity = Parity(parity_data, shape)
        same = shape.number == number and len(data) == shape.size and sha256(data).digest() == shape.sha256
        if sound and not same:
            return Standing(segment=segment, problem=OTHER)
        lost = parity.lost(data)
        hurt = not parity.perfect or bool(same and len(lost))
        return Standing(
            segment=segment,
            block=shape.block,
            blocks=shape.blocks,
            bears=parity.bears(),
            bears_bytes=max(0, parity.bears() * shape.stripes - 1) * shape.block + bool(parity.bears()),
            lost=0 if same else len(lost),
            restorable=parity.can_restore(lost),
            problem=HURT if hurt else "",
        )


def heal(where: Location, *, write_it: bool) -> Iterator[int]:
    """Write parity that is damaged, missing or of another state anew; yield the segments' numbers.

    Of a segment that is damaged itself it stays as it is. The caller holds the lock.

    Raises:
        ArchiveError: the disk refuses.
    """
    store = store_of(where)
    share = share_for(store)
    if not share and not parity_numbers(store):
        return
    for number in segment_numbers(store):
        if _first_damage(store, number) is None:
            found = standing(store, number, sound=True)
            if found is None or found.problem:
                if write_it:
                    with durable.reported(store):
                        write(store, number, share)
                yield number
