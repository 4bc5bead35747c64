"""The bytes of a ZIP segment apart from payloads and manifest. Pure: the writer writes them, verify expects them.

PKWARE APPNOTE.TXT 6.3.10, sections 4.3.7 (local header), 4.3.12 (central directory), 4.3.14 to 4.3.16 (end records).
The standard library's writer is not used since it seeks back to patch each header (a segment here is only ever
appended to) and since its bytes may change with the Python version (here identical runs give identical files).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from struct import Struct
from struct import error as StructError  # noqa: N812  # an exception's name
from typing import NamedTuple

from batchcomp.archive.names import rename_number
from batchcomp.archive.rows import Row
from batchcomp.kinds import KINDS

LOCAL = Struct("<4s5H3I2H")
CENTRAL = Struct("<4s6H3I5H2I")
END = Struct("<4s4H2IH")
END64 = Struct("<4sQ2H2I4Q")
LOCATOR64 = Struct("<4sIQI")
_FIELD = Struct("<2H2BH")  # the recovery field: ID, size of the rest, flags, kind, permissions; then what they say
_RENAMED, _LONG_TIME = Struct("<H"), Struct("<qI")
_TIME = Struct("<q")
LOCAL_SIGNATURE, CENTRAL_SIGNATURE, END_SIGNATURE = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"

RECOVERY_ID = 0x6362  # "bc", not among the registered extra fields
_HELD, _HAS_RENAMED, _HAS_LONG_TIME, _HAS_SOURCE = 1, 2, 4, 8  # flags of the recovery field
_RECOVERY_VERSION = 0x10  # in the upper half of the flags
_PERMISSION_BITS = 0o7777
_SHA256_BYTES, _INT64 = 32, 2**63
UTF8_NAME = 0x0800  # flag bit 11
STORED, DEFLATED = 0, 8  # methods of compression
_PLAIN, _ZIP64 = 20, 45  # version needed to extract
_UNIX = 3 << 8  # made by
_ATTRIBUTES = 0o100644 << 16  # a regular file, readable by all
_FULL16, _FULL32 = 0xFFFF, 0xFFFFFFFF
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ZIP_FIRST, _ZIP_LAST = datetime(1980, 1, 1, tzinfo=UTC), datetime(2107, 12, 31, 23, 59, 58, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True, slots=True)
class ZipEntry:
    """An entry: sizes and offset in bytes, `date` and `time` in DOS form, `extra` of the local header only.

    It is stored as it is, but for a manifest that is deflated to `packed` bytes.
    """

    name: str
    size: int
    crc: int
    offset: int
    date: int
    time: int
    extra: bytes = b""
    packed: int | None = None

    @property
    def held_size(self) -> int:
        """Bytes of the data in the file."""
        return self.size if self.packed is None else self.packed

    @property
    def method(self) -> int:
        """How it is compressed, by ZIP's numbers."""
        return STORED if self.packed is None else DEFLATED

    @property
    def header_size(self) -> int:
        """Bytes of the local header."""
        return LOCAL.size + len(self.name.encode()) + len(self.extra)

    @property
    def end(self) -> int:
        """Offset of the first byte after the entry."""
        return self.offset + self.header_size + self.held_size


def picture_entry(row: Row, *, crc: int, offset: int, held: bool) -> ZipEntry:
    """Return the entry of a complete row; everything but checksum and offset follows from the row and its type."""
    date, time = dos_stamp(row.mtime_ns)
    extra = recovery_field(row, held=held)
    return ZipEntry(name=row.entry, size=row.payload_bytes, crc=crc, offset=offset, date=date, time=time, extra=extra)


def dos_stamp(mtime_ns: int) -> tuple[int, int]:
    """Return date and time in DOS form: UTC, in steps of 2 s, clamped to 1980..2107."""
    try:
        moment = _EPOCH + timedelta(seconds=mtime_ns // 10**9)
    except OverflowError:
        moment = _ZIP_LAST if mtime_ns > 0 else _ZIP_FIRST
    moment = min(max(moment, _ZIP_FIRST), _ZIP_LAST)
    date = (moment.year - 1980) << 9 | moment.month << 5 | moment.day
    return date, moment.hour << 11 | moment.minute << 5 | moment.second // 2


def local_header(entry: ZipEntry) -> bytes:
    """Return the local header: true sizes and checksum, so that an entry is found without the central directory."""
    name = entry.name.encode()
    sizes = (entry.crc, entry.held_size, entry.size)
    head = (LOCAL_SIGNATURE, _PLAIN, UTF8_NAME, entry.method, entry.time, entry.date, *sizes)
    return LOCAL.pack(*head, len(name), len(entry.extra)) + name + entry.extra


def directory(entries: Sequence[ZipEntry], start: int) -> bytes:
    """Return all that follows the last entry: the central directory at offset `start` and the end records."""
    records = b"".join(map(_central_record, entries))
    return records + _end_records(len(entries), len(records), start)


def _central_record(entry: ZipEntry) -> bytes:
    name, far = entry.name.encode(), entry.offset >= _FULL32
    extra = Struct("<2HQ").pack(1, 8, entry.offset) if far else b""
    version = _ZIP64 if far else _PLAIN
    head = (CENTRAL_SIGNATURE, _UNIX | version, version, UTF8_NAME, entry.method, entry.time, entry.date)
    sizes = (entry.crc, entry.held_size, entry.size, len(name), len(extra), 0, 0, 0, _ATTRIBUTES)
    return CENTRAL.pack(*head, *sizes, min(entry.offset, _FULL32)) + name + extra


def _end_records(count: int, size: int, start: int) -> bytes:
    short = (min(count, _FULL16), min(count, _FULL16), min(size, _FULL32), min(start, _FULL32))
    end = END.pack(END_SIGNATURE, 0, 0, *short, 0)
    if count < _FULL16 and size < _FULL32 and start < _FULL32:
        return end
    long = (b"PK\x06\x06", END64.size - 12, _UNIX | _ZIP64, _ZIP64, 0, 0, count, count, size, start)
    return END64.pack(*long) + LOCATOR64.pack(b"PK\x06\x07", 0, start + size, 1) + end


class Recovery(NamedTuple):
    """What a local header says of its row, for when manifest and central directory are lost."""

    kind: int  # Kind.code
    renamed: int  # see `rename_number`
    permissions: int
    source_bytes: int | None  # None: the payload is the source, as with `source_sha256`
    mtime_ns: int
    source_sha256: str | None
    segment: int
    held: bool  # kept for the rows that share it, but no picture


def recovery_field(row: Row, *, held: bool = False) -> bytes:
    """Return the private extra field: what neither payload nor local header says of the row otherwise."""
    kind, renamed = KINDS[row.stored].code, rename_number(row.natural_entry, row.entry)
    flags, rest = _RECOVERY_VERSION | held * _HELD, b""
    if renamed:
        flags, rest = flags | _HAS_RENAMED, _RENAMED.pack(renamed)
    if -_INT64 <= row.mtime_ns < _INT64:
        rest += _TIME.pack(row.mtime_ns)
    else:
        flags, rest = flags | _HAS_LONG_TIME, rest + _LONG_TIME.pack(*divmod(row.mtime_ns, 10**9))
    rest += _varint(row.segment)
    if not row.is_source:
        flags, rest = flags | _HAS_SOURCE, rest + bytes.fromhex(row.source_sha256) + _varint(row.source_bytes)
    return _FIELD.pack(RECOVERY_ID, _FIELD.size - 4 + len(rest), flags, kind, row.permissions) + rest


def parse_recovery(extra: bytes) -> Recovery | None:
    """Return what a local header's extra bytes say, None if they are not a recovery field of this version."""
    try:
        return _parsed(extra)
    except (StructError, IndexError, ValueError):
        return None


def _parsed(extra: bytes) -> Recovery:
    """Like `parse_recovery`; errors of struct, IndexError and ValueError for what is no such field."""
    identity, size, flags, kind, permissions = _FIELD.unpack_from(extra)
    known = _RECOVERY_VERSION | _HELD | _HAS_RENAMED | _HAS_LONG_TIME | _HAS_SOURCE
    if (identity, size) != (RECOVERY_ID, len(extra) - 4) or flags & ~known or not flags & _RECOVERY_VERSION:
        raise ValueError("no recovery field of this version")
    at, renamed, source_bytes, digest = _FIELD.size, 0, None, None
    if flags & _HAS_RENAMED:
        (renamed,) = _RENAMED.unpack_from(extra, at)
        at += _RENAMED.size
    form = _LONG_TIME if flags & _HAS_LONG_TIME else _TIME
    mtime, *fraction = form.unpack_from(extra, at)
    mtime_ns = mtime * 10**9 + fraction[0] if fraction else mtime
    segment, at = _from_varint(extra, at + form.size)
    if flags & _HAS_SOURCE:
        digest = extra[at : at + _SHA256_BYTES].hex()
        source_bytes, at = _from_varint(extra, at + _SHA256_BYTES)
    if at != len(extra) or permissions & ~_PERMISSION_BITS or any(part >= 10**9 for part in fraction):
        raise ValueError("a value is out of range")
    return Recovery(kind, renamed, permissions, source_bytes, mtime_ns, digest, segment, bool(flags & _HELD))


def _varint(number: int) -> bytes:
    """A number in groups of 7 bits, the lowest first; all bytes but the last have their highest bit set (LEB128)."""
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*found, number])


def _from_varint(data: bytes, at: int) -> tuple[int, int]:
    """Return the number at `at`, below 2^63 and in its shortest form, and where it ends."""
    number = shift = 0
    while data[at] & 0x80:
        number, shift, at = number | (data[at] & 0x7F) << shift, shift + 7, at + 1
    number |= data[at] << shift
    if number >= _INT64 or (shift and not data[at]):
        raise ValueError("the number is out of range")
    return number, at + 1
