"""What files `repair` has to work with: which segment each one is, whatever it is called, and what is missing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from batchcomp.archive import durable
from batchcomp.archive.claims import claim_of
from batchcomp.archive.origin import origin_of
from batchcomp.archive.reader import find_segments, missing_ranges
from batchcomp.archive.segments import aside_names, aside_numbers, segment_name, segment_numbers
from batchcomp.archive.store import Store
from batchcomp.archive.verify import verify
from batchcomp.errors import ArchiveNotFoundError


@dataclass(kw_only=True)
class Inventory:
    """The numbers of an archive and the files behind them.

    Attributes:
        store: The archive's.
        damaged: Numbers of the segments in which `verify` finds damage.
        origins: Of the files that say that they are another segment than their name does: that one.
        own: Numbers that have a file of their own name, or a kept one, that does not say that it is another segment.
        found: Numbers that have none such, and the name of the file that says that it is this segment.
    """

    store: Store
    damaged: set[int]
    origins: dict[int, int]
    own: set[int]
    found: dict[int, str]

    @staticmethod
    def of(store: Store) -> Inventory:
        """Look at the files of an archive.

        Raises:
            ArchiveNotFoundError: there is none.
            ArchiveError: it is of a newer version, or the disk refuses.
        """
        with durable.reported(store):
            there, kept = segment_numbers(store), aside_numbers(store)
        if not there and not kept:
            find_segments(store)  # raises the fitting error
        names = _damaged(store)
        damaged = {number for number in there if segment_name(number) in names}
        origins, claims = dict[int, int](), dict[int, str]()
        for number in sorted(damaged):
            if (said := _origin(store, segment_name(number))) not in {None, number}:
                origins[number] = said or 0
                claims.setdefault(said or 0, segment_name(number))
        own = set(there) - origins.keys()
        for name in (name for number in sorted(kept) for name in aside_names(store, number)):
            number, said = int(name[: name.index(".")]), _origin(store, name)
            if said in {None, number}:
                if number <= max([0, *there]) + 1 and (said == number or number not in origins):
                    own.add(number)
            else:
                claims.setdefault(said or 0, name)
        return Inventory(store=store, damaged=damaged, origins=origins, own=own, found=_wanted(claims, own))

    @property
    def strangers(self) -> list[int]:
        """Return the numbers of misnamed files behind all segments."""
        last = max([0, *self.own, *self.found])
        return sorted(number for number in self.origins if number > last)

    def work(self) -> list[tuple[int, int]]:
        """Return all numbers in order as ranges: a segment is one of itself, a gap is one range."""
        last = max([0, *self.own, *self.found])
        numbers = sorted({*self.own, *self.found, *(number for number in self.origins if number < last)})
        return sorted([*((number, number) for number in numbers), *missing_ranges(self.store, numbers)])

    def has(self, number: int) -> bool:
        """Tell whether there is any file for a number."""
        return number in self.own or number in self.found or number in self.origins

    def source(self, number: int) -> str | None:
        """Return the name of the file to save a segment from: its own, one that says that it is this, or a kept one."""
        if number not in self.origins and self.store.stat(segment_name(number)):
            return segment_name(number)
        if number in self.found:
            return self.found[number]
        kept = [name for name in aside_names(self.store, number) if _origin(self.store, name) in {None, number}]
        return kept[-1] if kept and number in self.own else None

    def moved(self, name: str, aside: str | None) -> None:
        """Note that a file was set aside."""
        if aside is not None:
            self.found = {number: aside if found == name else found for number, found in self.found.items()}

    def time_before(self, number: int) -> datetime | None:
        """Return when the last segment before a number was written, None if nothing tells."""
        for other in sorted((one for one in self.own if one < number), reverse=True):
            claim = claim_of(self.store, segment_name(other))
            if claim is not None and claim.created is not None:
                return claim.created
        return None


def _origin(store: Store, name: str) -> int | None:
    with durable.reported(store.shown(name)), store.local(name) as path:
        return origin_of(path)


def _wanted(claims: dict[int, str], own: set[int]) -> dict[int, str]:
    """Return the files that say that they are a segment that is not there, or was the next one."""
    found: dict[int, str] = {}
    for number in sorted(claims):
        if 1 <= number <= max([0, *own, *found]) + 1 and number not in own:
            found[number] = claims[number]
    return found


def _damaged(store: Store) -> set[str]:
    """Return the names of the segments in which `verify` finds damage."""
    try:
        return {damage.segment for damage in verify(store).damage}
    except ArchiveNotFoundError:
        return set()
