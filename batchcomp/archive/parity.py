"""Recovery data beside each segment: written after it, renewed with it, and used by `repair` before all else.

Readers need none of it. A crash between a segment and its parity leaves a sound archive; the next run writes what is
missing. Whatever is restored is proved by the segment's SHA-256.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from batchcomp.archive import durable
from batchcomp.archive.damage import Damage, FoundDamageError
from batchcomp.archive.mapped import mapped
from batchcomp.archive.parity_file import HEADER_BYTES, Parity, Shape, build, find_header, parse_header
from batchcomp.archive.segment import open_segment
from batchcomp.archive.segments import parity_name, parity_numbers, segment_name, segment_numbers
from batchcomp.archive.verify import check_file

DEFAULT_SHARE: Final = 0.05
UNUSABLE = "the recovery data is damaged and of no use; `batchcomp repair` writes it anew"
HURT = "the recovery data is damaged in part; `batchcomp repair` writes it anew"
OTHER = "the recovery data is of another state of the segment; `batchcomp repair` writes it anew"


def share_for(folder: Path, asked: float | None = None) -> float:
    """Return the parity of an archive, 0 to 1: what is asked for, else what its newest parity file says, else 0."""
    if asked is not None:
        return asked
    for number in reversed(parity_numbers(folder)):
        if shape := _header(folder / parity_name(number)):
            return shape.share / 10_000
    return DEFAULT_SHARE if parity_numbers(folder) else 0.0  # there are some, all beyond reading


def write(folder: Path, number: int, share: float) -> None:
    """Write the parity file of a sound segment, in one step; nothing at a share of 0. Raises OSError."""
    if not share:
        return
    temp, final = folder / f".{parity_name(number)}.tmp", folder / parity_name(number)
    try:
        durable.remove(temp)
        with mapped(folder / segment_name(number)) as data, durable.create(temp) as file:
            durable.narrow(file, folder / segment_name(number))
            for part in build(data, number, share):
                durable.write(file, part)
            durable.sync_file(file)
        durable.replace(temp, final)
        durable.sync_folder(folder)
    except BaseException:
        with suppress(OSError):
            durable.remove(temp)
        raise


def renew(folder: Path, number: int) -> None:
    """Write the parity file of a segment that was rewritten anew, if it has one. Raises OSError."""
    path = folder / parity_name(number)
    if path.is_file():
        shape = _header(path)
        write(folder, number, shape.share / 10_000 if shape else share_for(folder))


def keep(folder: Path, number: int, aside: Path) -> None:
    """Keep the parity of a segment that it could not restore beside the damaged file. Raises OSError."""
    path = folder / parity_name(number)
    if path.is_file() and aside.is_file():
        with suppress(FileExistsError):  # of an interrupted repair
            durable.link(path, aside.with_name(f"{aside.name}.parity"))


def catch_up(folder: Path, share: float) -> Iterator[Damage]:
    """Give every segment that lacks it parity of this share, and remove all parity at 0; yield what is damaged.

    A damaged segment gets none: parity would make its damage permanent. The newest segment comes first, since its
    parity says what `share_for` remembers. The caller holds the lock.

    Raises:
        ArchiveError: the disk refuses.
    """
    with durable.reported(folder):
        for number in reversed(segment_numbers(folder) if share else parity_numbers(folder)):
            if not share:
                durable.remove(folder / parity_name(number))
            elif not _is_current(folder, number, share):
                found = _first_damage(folder, number)
                if found is None:
                    write(folder, number, share)
                else:
                    yield found


def _first_damage(folder: Path, number: int) -> Damage | None:
    try:
        return next(iter(check_file(open_segment(folder, number))), None)
    except FoundDamageError as error:
        return error.damage


def _is_current(folder: Path, number: int, share: float) -> bool:
    """Tell from the first header whether a segment has parity of this share; its other bytes are not looked at."""
    path = folder / parity_name(number)
    if not path.is_file():
        return False
    with path.open("rb") as file:
        shape = parse_header(file.read(HEADER_BYTES))
    size = (folder / segment_name(number)).stat().st_size
    return shape is not None and (shape.number, shape.size, shape.share) == (number, size, round(share * 10_000))


def _header(path: Path) -> Shape | None:
    with mapped(path) as data:
        return find_header(data)


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


def standing(folder: Path, number: int, *, sound: bool) -> Standing | None:
    """Look at the parity file of a segment, and at every byte of both; None where there is none.

    `sound` says whether the segment itself was found to be without damage.

    Raises:
        ArchiveError: the disk refuses.
    """
    path, segment = folder / parity_name(number), folder / segment_name(number)
    if not path.is_file() or not segment.is_file():
        return None
    with durable.reported(path), mapped(path) as parity_data, mapped(segment) as data:
        shape = find_header(parity_data)
        if shape is None:
            return Standing(segment=segment.name, problem=UNUSABLE)
        parity = Parity(parity_data, shape)
        same = shape.number == number and len(data) == shape.size and sha256(data).digest() == shape.sha256
        if sound and not same:
            return Standing(segment=segment.name, problem=OTHER)
        lost = parity.lost(data)
        hurt = not parity.perfect or bool(same and len(lost))
        return Standing(
            segment=segment.name,
            block=shape.block,
            blocks=shape.blocks,
            bears=parity.bears(),
            bears_bytes=max(0, parity.bears() * shape.stripes - 1) * shape.block + bool(parity.bears()),
            lost=0 if same else len(lost),
            restorable=parity.can_restore(lost),
            problem=HURT if hurt else "",
        )


def heal(folder: Path, *, write_it: bool) -> Iterator[int]:
    """Write parity that is damaged, missing or of another state anew; yield the segments' numbers.

    Of a segment that is damaged itself it stays as it is. The caller holds the lock.

    Raises:
        ArchiveError: the disk refuses.
    """
    share = share_for(folder)
    if not share and not parity_numbers(folder):
        return
    for number in segment_numbers(folder):
        if _first_damage(folder, number) is None:
            found = standing(folder, number, sound=True)
            if found is None or found.problem:
                if write_it:
                    with durable.reported(folder):
                        write(folder, number, share)
                yield number
