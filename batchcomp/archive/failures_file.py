"""Which files stay outside an archive, and why: `failures.jsonl` beside its segments. See docs/format.md.

The file is a help, not a part of the archive: a line that is damaged, or missing, is a failure that is told again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Final

from batchcomp.archive.rows import crc_problem, parse_line, with_crc
from batchcomp.archive.segments import FAILURES_NAME
from batchcomp.archive.store import Location, store_of

FORMAT: Final = "batchcomp-failures"
VERSION: Final = 1
MAX_BYTES: Final = 256 * 2**20
MAX_REASON: Final = 4000  # characters


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """One file that could not be archived.

    Attributes:
        path: its name in the archive.
        source: the file, absolute; another source of the same archive may have the same `path`.
        source_bytes: its size then.
        mtime_ns: its time of change then.
        reason: one line, as it was told.
        since: when it was first told, ISO 8601 in UTC.
        conditions: a short hash of what else it may have failed for: limits, versions.
        again: whether it is tried again though it did not change, as it could not be read.
    """

    path: str
    source: str
    source_bytes: int
    mtime_ns: int
    reason: str
    since: str
    conditions: str = ""
    again: bool = False

    def is_same(self, other: Failure) -> bool:
        """Tell whether the other one tells nothing new."""
        return all(getattr(self, name) == getattr(other, name) for name in ("source_bytes", "mtime_ns", "reason"))


def read_failures(where: Location, name: str = FAILURES_NAME) -> list[Failure]:
    """Return the failures that an archive remembers, or a part of a job, as far as they can be read; never an error."""
    try:
        data = store_of(where).read(name, 0, MAX_BYTES + 1)
    except OSError:
        return []
    lines = data.splitlines(keepends=True)
    if len(data) > MAX_BYTES or not lines or not _is_header(lines[0]):
        return []
    return [failure for line in lines[1:] if (failure := _failure(line)) is not None]


def failures_bytes(failures: Iterable[Failure]) -> bytes:
    """Return the file, its lines sorted. What cannot be noted within the rules is left out, and so told again."""
    head = {"type": "failures", "format": FORMAT, "version": VERSION}
    lines = [_line({"type": "failure", **asdict(one)}) for one in sorted(failures, key=lambda one: one.source)]
    return b"".join([_line(head), *(line for line in lines if _failure(line) is not None)])


def _line(value: Mapping[str, Any]) -> bytes:
    """Return one line; ASCII, so that names which are no UTF-8 can stand in it as they are."""
    return with_crc(json.dumps(value, separators=(",", ":")).encode() + b"\n")


def _is_header(line: bytes) -> bool:
    try:
        value = parse_line(line)
    except ValueError:
        return False
    return not crc_problem(line) and (value.get("format"), value.get("version")) == (FORMAT, VERSION)


def _failure(line: bytes) -> Failure | None:
    try:
        value = parse_line(line)
    except ValueError:
        return None
    known: dict[str, Any] = {name: value.get(name) for name in _CHECKS}
    fine = not crc_problem(line) and value.get("type") == "failure"
    return Failure(**known) if fine and all(_CHECKS[name](one) for name, one in known.items()) else None


def _text(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= MAX_REASON


def _number(low: int) -> Callable[[Any], bool]:
    return lambda value: type(value) is int and low <= value < 2**63


_CHECKS: Final[Mapping[str, Callable[[Any], bool]]] = {
    "path": _text,
    "source": _text,
    "source_bytes": _number(0),
    "mtime_ns": _number(-(2**63)),
    "reason": _text,
    "since": _text,
    "conditions": _text,
    "again": lambda value: type(value) is bool,
}

if {field.name for field in fields(Failure)} != set(_CHECKS):
    raise AssertionError("every field of Failure needs a check")
