"""The bytes of a segment are those that ZIP tools and `repair` expect."""

from __future__ import annotations

import zipfile
from pathlib import Path
from zlib import crc32

import pytest

from batchcomp.archive.layout import LOCAL, ZipEntry, directory, dos_stamp, local_header, parse_recovery

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
    assert extra == 70


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
