"""Names of the files in an archive."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import count
from typing import Final

from batchcomp.archive.claims import claim_of
from batchcomp.archive.store import FOLDER, Entry, Location, Store, store_of

FAR: Final = 100  # numbers; beyond such a gap a file must say itself that it is the segment of its name
MAX_NUMBER: Final = 10**12
_SEGMENT = re.compile(r"([0-9]{6}|[1-9][0-9]{6,12})\.zip")
_ASIDE = re.compile(r"([0-9]{6}|[1-9][0-9]{6,12})\.zip\.damaged(?:-[0-9]+)?")
SETTINGS_NAME = "settings.json"  # what the archive was last written with
FAILURES_NAME = "failures.jsonl"  # which files stay outside, and why
JOBS_NAME = "jobs"  # a folder: what open jobs are to do
_BESIDE = (SETTINGS_NAME, FAILURES_NAME)
_OURS = b'"batchcomp-'  # stands in the first line or two of both
_JOB_FILE = re.compile(r"[a-z0-9][a-z0-9-]{0,63}\.(?:jsonl?|[0-9]+\.failures)|\..*\.tmp")
_PARITY = re.compile(r"([0-9]{6}|[1-9][0-9]{6,12})\.zip\.parity")
_TEMP = re.compile(
    r"\.[0-9]{6,}\.zip(\.parity)?\.tmp|\.(?:\.lock\.holder|settings\.json|failures\.jsonl)\.[0-9]+\.tmp"
    r"|\.probe-[0-9a-f]{16}"  # of a run that was killed while it asked a store for the time
)


def segment_name(number: int) -> str:
    """Return the file name of a segment, e.g. "000001.zip"."""
    return f"{number:06d}.zip"


def temp_name(number: int, owner: str = "") -> str:
    """Return the file name of a segment that is being written, e.g. ".000001.zip.tmp".

    That of an `owner` other than the holder of the lock is ".000001.zip.OWNER.tmp".
    """
    return f".{segment_name(number)}{f'.{owner}' if owner else ''}.tmp"


def parity_name(number: int) -> str:
    """Return the file name of a segment's recovery data, e.g. "000001.zip.parity"."""
    return f"{segment_name(number)}.parity"


def parity_numbers(where: Location) -> list[int]:
    """Return the numbers of the segments that have recovery data, ascending."""
    store = store_of(where)
    matches = ((entry, _PARITY.fullmatch(entry.name)) for entry in store.entries())
    numbers = {int(match[1]) for entry, match in matches if match and _is_file(store, entry)}
    return sorted(numbers - {0})


def aside_names(where: Location, number: int) -> list[str]:
    """Return the names of the regular files in which `repair` kept damaged bytes of a segment, oldest first."""
    pattern = re.compile(rf"{number:06d}\.zip\.damaged(?:-([0-9]+))?")
    matches = (pattern.fullmatch(entry.name) for entry in store_of(where).entries() if not entry.problem)
    return [name for _, name in sorted((int(match[1] or 1), match[0]) for match in matches if match)]


def aside_numbers(where: Location) -> set[int]:
    """Return the numbers of the segments of which damaged files are kept."""
    matches = (_ASIDE.fullmatch(entry.name) for entry in store_of(where).entries() if not entry.problem)
    return {int(match[1]) for match in matches if match} - {0}


def next_aside(where: Location, number: int) -> str:
    """Return a free name for keeping a damaged segment: "000001.zip.damaged", then "...damaged-2" and so on."""
    last = aside_names(where, number)[-1:]
    first = int(last[0].rpartition("-")[2]) + 1 if last and "-" in last[0] else len(last) + 1
    names = (f"{segment_name(number)}.damaged{f'-{n}' if n > 1 else ''}" for n in count(first))
    taken = {entry.name for entry in store_of(where).entries()}
    return next(name for name in names if name not in taken)


def _is_file(store: Store, entry: Entry) -> bool:
    """Tell whether an entry is a regular file, or a link to one."""
    return not entry.problem or store.stat(entry.name) is not None


@dataclass(frozen=True, kw_only=True)
class Foreign:
    """A file that looks like a segment and is none: it is named and left alone. `name` is distrusted."""

    name: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Listing:
    """The segments in an archive's folder, ascending, and the ZIP files that are no segments."""

    numbers: tuple[int, ...]
    foreign: tuple[Foreign, ...]
    entries: tuple[Entry, ...]  # of the segments


def segment_numbers(where: Location) -> list[int]:
    """Return the numbers of the segments of an archive, ascending; other files are ignored."""
    return list(look(where).numbers)


def look(where: Location) -> Listing:
    """Tell the segments of an archive from what is merely called like one: dates, copies, folders, links.

    Only a regular file of the exact name is a segment. Numbers leave no gap, so one behind a gap is looked at: one
    that says that it is another one, which is there, is a copy; after a long gap it must say that it is a segment at
    all, or a neighbour of it must.
    """
    store = store_of(where)
    numbers: dict[int, Entry] = {}
    foreign: list[Foreign] = []
    for entry in store.entries():
        if entry.name.startswith(".") or not entry.name.lower().endswith(".zip"):
            continue
        if reason := _no_segment(entry):
            foreign.append(Foreign(name=entry.name, reason=reason))
        else:
            numbers[int(entry.name[: -len(".zip")])] = entry
    kept: list[int] = []
    for cluster in _runs(sorted(numbers), FAR):
        far = cluster[0] - (kept[-1] if kept else 0) > FAR
        if far and not any(_claimed(store, number) for number in cluster):
            reason = "is no segment, by its content, and far from the others; it is left alone"
            foreign += [Foreign(name=segment_name(number), reason=reason) for number in cluster]
            continue
        for run in _runs(cluster, 1):
            follows = run[0] - 1 == (kept[-1] if kept else 0)
            copies = [] if follows else _copies(store, run, set(numbers))
            foreign += copies
            kept += [] if copies else run
    others = tuple(sorted(foreign, key=lambda one: one.name))
    return Listing(numbers=tuple(kept), foreign=others, entries=tuple(numbers[number] for number in kept))


def free_number(where: Location, last: int) -> int:
    """Return the number for the segment after `last`: the next one whose name nothing has, foreign files included."""
    taken = {entry.name for entry in store_of(where).entries()}
    number = last + 1
    while not taken.isdisjoint((segment_name(number), temp_name(number))):
        number += 1
    return number


def free_range(where: Location, last: int, count: int) -> int:
    """Return the first of `count` numbers in a row after `last` whose names nothing has, foreign files included."""
    taken = {entry.name for entry in store_of(where).entries()}
    first = number = last + 1
    while number < first + count:
        if not taken.isdisjoint((segment_name(number), temp_name(number))):
            first = number + 1
        number += 1
    return first


def _no_segment(entry: Entry) -> str:
    """Say why a file cannot be a segment, "" if it can."""
    match = _SEGMENT.fullmatch(entry.name)
    if match is None or not 1 <= int(match[1]) <= MAX_NUMBER:
        return "is not the name of a segment (000001.zip, ...); it is left alone"
    return f"{entry.problem}, not a segment; it is left alone" if entry.problem else ""


def _copies(store: Store, run: list[int], there: set[int]) -> list[Foreign]:
    """Return the files of a run as foreign ones if each says that it is another segment, which is there; else none."""
    claims = [(number, _claimed(store, number)) for number in run]
    if any(claim == number or claim not in there for number, claim in claims):
        return []
    reason = "says that it is segment {}: a copy; it is left alone"
    return [Foreign(name=segment_name(number), reason=reason.format(claim)) for number, claim in claims]


def _claimed(store: Store, number: int) -> int | None:
    claim = claim_of(store, segment_name(number))
    return claim.segment if claim else None


def _runs(numbers: Iterable[int], most: int) -> list[list[int]]:
    """Cut ascending numbers where two of them are more than `most` apart."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number - runs[-1][-1] <= most:
            runs[-1].append(number)
        else:
            runs.append([number])
    return runs


def left_over_temps(where: Location) -> list[str]:
    """Return the names of the temporary files; while the lock is held they can only be a dead writer's."""
    entries = store_of(where).entries()
    return [entry.name for entry in entries if _TEMP.fullmatch(entry.name) and entry.problem != FOLDER]


def is_foreign(where: Location) -> bool:
    """Tell whether a place is no archive but holds other files (hidden ones and our own do not count)."""
    store = store_of(where)
    if segment_numbers(store):
        return False
    others = any(not entry.name.startswith(".") and not is_beside(store, entry.name) for entry in store.entries())
    return others and not segment_numbers(store)  # none came meanwhile


def is_beside(store: Store, name: str) -> bool:
    """Tell whether a file is one of those that archives have beside their segments, by its name and its beginning."""
    if name == JOBS_NAME:
        files = store.entries(JOBS_NAME) if store.stat(JOBS_NAME) is None else []
        return bool(files) and all(_JOB_FILE.fullmatch(entry.name) for entry in files)
    if name not in _BESIDE:
        return False
    try:
        return _OURS in store.read(name, 0, 64)
    except OSError:
        return False
