"""Finds what is intact in a segment whose directory or manifest cannot be trusted, from its bytes alone.

Three independent traces lead to a payload: the central directory, the order of the manifest's rows (a segment is
canonical, so each offset follows from the rows before), and the local headers one after another. One is enough,
since a payload proves itself: by the SHA-256 of its row, or by CRC-32 and size of its local header.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from struct import error as StructError  # noqa: N812  # an exception's name

from batchcomp.archive import layout
from batchcomp.archive.deflated import texts
from batchcomp.archive.layout import LOCAL, LOCAL_SIGNATURE, Recovery, parse_recovery
from batchcomp.archive.manifest import MAX_MANIFEST, row_lines
from batchcomp.archive.mapped import Bytes
from batchcomp.archive.names import MANIFEST_NAME, entry_problem
from batchcomp.archive.rows import MAX_LINE, crc_problem
from batchcomp.archive.segment import EntrySpan

_PATH = re.compile(rb'"path":("(?:[^"\\]|\\.)*")')
_OWNER_FIELD = b'"owner_segment":'  # in shared rows alone
_NEARLY_OWNER_FIELD = re.compile(  # with any one byte of it changed
    b"|".join(
        re.escape(_OWNER_FIELD[:at]) + b"." + re.escape(_OWNER_FIELD[at + 1 :]) for at in range(len(_OWNER_FIELD))
    ),
    re.DOTALL,
)
_END_LINE = re.compile(rb'\{"type":"end","pictures":([0-9]{1,9})(?:,"held":([0-9]{1,9}))?\}\n')
_ROW_STARTS = (b'{"type":"picture",', b'{"type":"held",')


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """A local header of a picture. The payload is `data[start:end]`; `sound` says whether it has the CRC-32 named."""

    name: str
    start: int
    end: int
    recovery: Recovery
    sound: bool


def find_entries(data: Bytes) -> tuple[list[Found], int]:
    """Return the pictures whose local headers can be read, in order, and where the last of them ends.

    Headers are followed from the first byte on. Where one cannot be read, the search goes on at the next signature.
    """
    found: list[Found] = []
    at = 0
    while 0 <= at < len(data):
        one = _entry_at(data, at)
        if one is not None:
            found.append(one)
            at = _next(data, one)
        elif _is_manifest(data, at):
            break
        else:
            at = _search(data, at + 1)
    return found, found[-1].end if found else 0


def find_lines(data: Bytes, start: int) -> Iterator[bytes]:
    """Yield the manifest's rows that can be trusted by their own checksums, from the bytes after the last entry."""
    for text in texts(_behind(data, start)):
        yield from _lines_in(text)


def _behind(data: Bytes, start: int) -> bytes:
    """The bytes that the manifest lies in."""
    return bytes(data[start : start + MAX_MANIFEST + LOCAL.size + 4096])


def _lines_in(region: bytes) -> Iterator[bytes]:
    at = 0
    while True:
        starts = [position for begin in _ROW_STARTS if (position := region.find(begin, at)) >= 0]
        if not starts:
            return
        at = min(starts)
        end = region.find(b"\n", at, at + MAX_LINE) + 1
        line = region[at:end] if end else b""
        if crc_problem(line):
            at += 1
        else:
            yield line
            at = end


def counted(data: Bytes, start: int) -> tuple[int | None, int]:
    """Return how many rows a manifest had by its last line, None without one, and the bytes of its first and last."""
    header, found = 0, None
    for region in texts(_behind(data, start)):
        first = region.find(b'{"type":"segment",')
        header = region.find(b"\n", first) + 1 - first if first >= 0 else header
        found = _END_LINE.search(region) or found
    return (int(found[1]) + int(found[2] or 0), header + found.end() - found.start()) if found else (None, 0)


def broken_shares(data: Bytes, start: int) -> Iterator[str]:
    """Yield the paths, as far as they can be read, of shared rows that cannot be trusted.

    Such a row is known by its field `owner_segment`, of which one byte may itself be damaged.
    """
    lines = (line for text in texts(_behind(data, start)) for line in text.splitlines(keepends=True))
    for line in lines:
        if crc_problem(line) and _NEARLY_OWNER_FIELD.search(line):
            match = _PATH.search(line)
            try:
                yield str(json.loads(match[1])) if match else "(unreadable)"
            except ValueError:
                yield "(unreadable)"


def manifest_lines(data: Bytes, start: int, span: EntrySpan) -> list[bytes] | None:
    """Return all rows of a manifest whose data lie at `start`, None if it does not have the checksum named."""
    if max(span.size, span.held_size) > MAX_MANIFEST:
        return None
    try:
        found = span.data_of(bytes(data[start : start + span.held_size]))
    except ValueError:
        return None
    return list(row_lines(found)) if zlib.crc32(found) == span.crc else None


def _entry_at(data: Bytes, at: int) -> Found | None:
    """Return the picture whose local header stands at `at`, None if there is no sound one."""
    try:
        signature, *_, crc, packed, size, name_size, extra_size = LOCAL.unpack_from(data, at)
    except StructError:
        return None
    if signature != LOCAL_SIGNATURE or packed != size:
        return None
    middle = at + LOCAL.size + name_size
    recovery = parse_recovery(bytes(data[middle : middle + extra_size]))
    try:
        name = str(data[at + LOCAL.size : middle], "utf-8")
    except UnicodeDecodeError:
        return None
    if recovery is None or entry_problem(name):
        return None
    start = middle + extra_size
    sound = start + size <= len(data) and zlib.crc32(data[start : start + size]) == crc
    return Found(name=name, start=start, end=start + size, recovery=recovery, sound=sound)


def _next(data: Bytes, one: Found) -> int:
    """Return where to continue: after the payload if it is sound or a header follows it, else at the next signature."""
    follows = bytes(data[one.end : one.end + 4]) in (LOCAL_SIGNATURE, layout.CENTRAL_SIGNATURE)
    return one.end if one.sound or follows else _search(data, one.start)


def _is_manifest(data: Bytes, at: int) -> bool:
    name = MANIFEST_NAME.encode()
    return bytes(data[at : at + 4]) == LOCAL_SIGNATURE and bytes(data[at + LOCAL.size :][: len(name)]) == name


def _search(data: Bytes, at: int) -> int:
    """Return the offset of the next local header's signature, -1 if there is none."""
    step = 2**20
    for begin in range(at, len(data), step):
        position = bytes(data[begin : begin + step + 3]).find(LOCAL_SIGNATURE)
        if position >= 0:
            return begin + position
    return -1
