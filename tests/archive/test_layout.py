"""The bytes of a segment are those that ZIP tools and `repair` expect."""

from __future__ import annotations

import zipfile
from hashlib import sha256
from pathlib import Path
from random import Random
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchcomp.archive import ArchiveWriter, Row
from batchcomp.archive.layout import LOCAL, ZipEntry, directory, dos_stamp, local_header, parse_recovery, recovery_field
from batchcomp.archive.names import NOT_DERIVABLE
from batchcomp.kinds import KINDS

from .samples import three_pictures


def test_local_headers_carry_what_repair_needs(tmp_path: Path) -> None:
    """Sizes, checksum and the recovery field stand before each payload, so a lost directory loses no picture."""
    row = three_pictures(tmp_path / "x.bca")[0]
    data = (tmp_path / "x.bca" / "000001.zip").read_bytes()
    _, _, flags, method, _, _, crc, packed, size, name, extra = LOCAL.unpack(data[: LOCAL.size])
    payload = data[LOCAL.size + name + extra :][:size]
    assert (flags, method, packed, size) == (0x0800, 0, row.payload_bytes, row.payload_bytes)
    assert crc32(payload) == crc
    recovery = parse_recovery(data[LOCAL.size + name :][:extra])
    assert recovery == (1, 0, row.permissions, row.source_bytes, row.mtime_ns, row.source_sha256, 1, False)
    assert extra == 17 + 32 + 3  # source_bytes is below 2^21


_NUMBERS = st.integers(0, 2**63 - 1)
_TIMES = st.integers(-(2**63) * 10**9, 2**63 * 10**9 - 1) | st.integers(-(2**63), 2**63 - 1)


@given(
    kind=st.sampled_from(sorted(KINDS)),
    permissions=st.integers(0, 0o7777),
    source_bytes=_NUMBERS,
    mtime_ns=_TIMES,
    segment=st.integers(1, 2**63 - 1),
    renamed=st.sampled_from([0, 2, 12_345, NOT_DERIVABLE]),
    held=st.booleans(),
    is_source=st.booleans(),
)
def test_a_recovery_field_gives_back_what_it_was_made_of(  # one for each part of it
    *,
    kind: str,
    permissions: int,
    source_bytes: int,
    mtime_ns: int,
    segment: int,
    renamed: int,
    held: bool,
    is_source: bool,
) -> None:
    """Whatever a row says comes back exactly, and no shorter or longer field is taken for one."""
    stem, _, suffix = f"a.png{KINDS[kind].suffix}".rpartition(".")
    entry = {0: f"{stem}.{suffix}", NOT_DERIVABLE: "other"}.get(renamed, f"{stem}~{renamed}.{suffix}")
    row = Row(
        path="a.png", stored=kind, source_bytes=source_bytes, mtime_ns=mtime_ns, permissions=permissions,
        source_sha256="ab" * 32, width=1, height=1, mode="L", entry=entry, segment=segment,
        payload_bytes=source_bytes if is_source else 7, payload_sha256="ab" * 32 if is_source else "cd" * 32,
    )  # fmt: skip
    field = recovery_field(row, held=held)
    found = parse_recovery(field)
    source = (None, None) if is_source else (source_bytes, "ab" * 32)
    code = KINDS[kind].code
    assert found == (code, renamed, permissions, source[0], mtime_ns, source[1], segment, held)
    assert len(field) <= 68
    for size in range(len(field)):
        assert parse_recovery(field[:size]) is None
    assert parse_recovery(field + b"\0") is None


@pytest.mark.parametrize(
    "field",
    [
        b"bc\x0d\0\x10\x02\0\0" + bytes(8) + b"\x80",  # a number without an end
        b"bc\x0e\0\x10\x02\0\0" + bytes(8) + b"\x81\0",  # not in its shortest form
        b"bc\x16\0\x10\x02\0\0" + bytes(8) + b"\x80" * 9 + b"\x01",  # 2^63
        b"bc\x0d\0\x10\x02\0\x10" + bytes(8) + b"\x01",  # permissions of 13 bits
        b"bc\x0d\0\x30\x02\0\0" + bytes(8) + b"\x01",  # another version
        b"bc\x0d\0\x00\x02\0\0" + bytes(8) + b"\x01",
        b"bd\x0d\0\x10\x02\0\0" + bytes(8) + b"\x01",  # another field
        b"bc\x11\0\x14\x02\0\0" + bytes(8) + b"\0\xca\x9a\x3b\x01",  # 10^9 nanoseconds
    ],
)
def test_what_breaks_a_rule_is_no_recovery_field(field: bytes) -> None:
    """A reader takes nothing from it; the same bytes with that put right are one."""
    assert parse_recovery(field) is None
    sound = parse_recovery(b"bc\x0d\0\x10\x02\0\0" + bytes(8) + b"\x01")
    assert sound == (2, 0, 0, None, 0, None, 1, False)


@pytest.mark.parametrize(("stored", "most"), [("verbatim", 185), ("compact", 280)])
def test_what_an_archive_adds_to_small_pictures(tmp_path: Path, stored: str, most: int) -> None:
    """Headers, directory and rows take less than so many bytes a picture, names of nine characters included."""
    count, payloads = 2000, 0
    chance = Random(1)  # noqa: S311  # sizes, not secrets
    with ArchiveWriter(tmp_path / "x.bca") as writer:
        for number in range(count):
            data = chance.randbytes(chance.randrange(300, 1500))
            own = stored == "verbatim"
            row = Row(
                path=f"{number:05}.png", stored=stored, source_bytes=len(data) * (1 if own else 3), permissions=0o644,
                mtime_ns=1_700_000_000 * 10**9 + chance.randrange(10**12), width=64, height=64, mode="RGB",
                source_sha256=sha256(data if own else data[1:]).hexdigest(), seconds=chance.randrange(99) / 1e4,
            )  # fmt: skip
            writer.add(row, data)
            payloads += len(data)
    assert ((tmp_path / "x.bca" / "000001.zip").stat().st_size - payloads) / count < most


@pytest.mark.parametrize(
    ("mtime_ns", "moment"),
    [
        (-(2**63), (1980, 1, 1, 0, 0, 0)),
        (0, (1980, 1, 1, 0, 0, 0)),
        (1_700_000_001_999_999_999, (2023, 11, 14, 22, 13, 20)),
        (2**63 - 1, (2107, 12, 31, 23, 59, 58)),
    ],
)
def test_times_are_clamped(mtime_ns: int, moment: tuple[int, ...]) -> None:
    """The DOS stamp is UTC, rounded down to 2 s, and never leaves 1980..2107."""
    date, time = dos_stamp(mtime_ns)
    stamp = (1980 + (date >> 9), date >> 5 & 15, date & 31, time >> 11, time >> 5 & 63, (time & 31) * 2)
    assert stamp == moment


def test_zip64_where_needed(tmp_path: Path) -> None:
    """Offsets beyond 4 GiB and more than 65,534 entries are written so that the standard library reads them."""
    far = ZipEntry(name="far", size=4, crc=crc32(b"data"), offset=2**32 + 5, date=33, time=0)
    many = [ZipEntry(name=str(n), size=0, crc=0, offset=0, date=33, time=0) for n in range(70_000)]
    with (tmp_path / "far.zip").open("wb") as file:  # sparse
        file.seek(far.offset)
        file.write(local_header(far) + b"data" + directory([*many, far], far.end))
    with zipfile.ZipFile(tmp_path / "far.zip") as archive:
        assert len(archive.infolist()) == 70_001
        assert archive.read("far") == b"data"
