"""Versions and moments of an archive."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from batchcomp.archive import ArchiveReader, ArchiveWriter, prune, read_versions, repair, view_at
from batchcomp.archive.history import UNKNOWN, times_of
from tests.archive.samples import sample_row

BEGIN = datetime(2026, 10, 1, tzinfo=UTC)


def day(number: int) -> datetime:
    return BEGIN + timedelta(days=number)


def store(folder: Path, number: int, *names: str, sha: str = "") -> None:
    """Store pictures in a segment of its own, on a day."""
    with ArchiveWriter(folder, now=lambda: day(number)) as writer:
        for name in names:
            writer.add(sample_row(name, source_sha256=(sha or f"{number:02x}") * 32), f"{name} {number}".encode())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return an archive: a.png of days 1, 3, 5; b.png of day 3."""
    folder = tmp_path / "x.bca"
    store(folder, 1, "a.png")
    store(folder, 3, "a.png", "b.png")
    store(folder, 5, "a.png")
    return folder


def seen(folder: Path, moment: datetime) -> dict[str, bytes]:
    with ArchiveReader.open(folder) as archive:
        return {row.path: archive.read(row) for row in view_at(archive, moment)}


def test_versions_are_numbered_from_the_oldest(folder: Path) -> None:
    """Each knows its number, its segment and when that was closed."""
    found = read_versions(ArchiveReader.open(folder))
    assert [(one.number, one.segment, one.archived) for one in found["a.png"]] == [
        (1, 1, day(1)),
        (2, 2, day(3)),
        (3, 3, day(5)),
    ]
    assert [one.number for one in found["b.png"]] == [1]


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (day(0), {}),
        (day(1), {"a.png": b"a.png 1"}),
        (day(2), {"a.png": b"a.png 1"}),
        (day(3), {"a.png": b"a.png 3", "b.png": b"b.png 3"}),
        (day(9), {"a.png": b"a.png 5", "b.png": b"b.png 3"}),
    ],
)
def test_a_moment_has_what_was_there_by_then(folder: Path, moment: datetime, expected: dict[str, bytes]) -> None:
    """The newest version at or before it; what came later is not there."""
    assert seen(folder, moment) == expected


def test_prune_and_repair_make_no_picture_newer(folder: Path) -> None:
    """A segment that is rewritten keeps the time at which it was first written."""
    prune(folder, now=lambda: day(100))
    assert seen(folder, day(4)) == {"b.png": b"b.png 3"}
    assert [(one.number, one.archived) for one in read_versions(ArchiveReader.open(folder))["a.png"]] == [(1, day(5))]
    (folder / "000002.zip").write_bytes(flipped((folder / "000002.zip").read_bytes(), b"b.png 3"))
    repair(folder, lambda _kind, _payload: {"width": 1, "height": 1, "mode": "RGB"}, now=lambda: day(100))
    assert ArchiveReader.open(folder).created(2) == day(3)


def flipped(data: bytes, at: bytes) -> bytes:
    index = data.index(at)
    return data[:index] + bytes([data[index] ^ 1]) + data[index + 1 :]


def test_a_damaged_row_supersedes(folder: Path) -> None:
    """An old version is never passed off as that of a later moment."""
    path = folder / "000002.zip"
    manifest_row = b'"path":"a.png","entry"'
    found = read_versions(ArchiveReader.open(folder))
    assert found["a.png"][1].row is not None
    data = path.read_bytes()
    at = data.index(b'"source_bytes"', data.index(manifest_row))
    broken = data[: at + 1] + b"S" + data[at + 2 :]
    path.write_bytes(with_right_crc(broken, data))
    archive = ArchiveReader.open(folder)
    assert [row.path for row in view_at(archive, day(3))] == ["b.png"]
    assert archive.damage
    assert read_versions(archive)["a.png"][1].row is None


def with_right_crc(broken: bytes, data: bytes) -> bytes:
    """Make the manifest's CRC-32 in both headers that of its changed bytes, so that only the row's own is wrong."""
    import struct  # noqa: PLC0415
    import zlib  # noqa: PLC0415

    begin = data.index(b'{"type":"segment"')
    end = data.index(b"PK\x01\x02", begin)
    old, new = (struct.pack("<I", zlib.crc32(one[begin:end])) for one in (data, broken))
    assert broken.count(old) == 2
    return broken.replace(old, new)


@pytest.mark.parametrize(
    ("created", "expected"),
    [
        ([1, 2, 3], [1, 2, 3]),
        ([2, 2, 2], [2, 2, 2]),
        ([1, 90, 2, 3], [1, 2, 2, 3]),  # the clock was ahead once
        ([5, 6, 0, 7], [5, 6, 7, 7]),  # and behind
        ([5, 6, 7, 0], [5, 6, 7, 7]),
        ([9, 2], [2, 2]),
        ([1, None, 3, None], [1, 3, 3, 3]),
    ],
)
def test_a_clock_that_was_set_back(created: list[int | None], expected: list[int]) -> None:
    """Segments are in the order of their numbers, so that no time is before that of an earlier one."""
    found = times_of({number + 1: None if one is None else day(one) for number, one in enumerate(created)})
    assert list(dict(sorted(found.items())).values()) == [day(one) for one in expected]


def test_segments_without_any_time() -> None:
    """All moments see them."""
    assert times_of({1: None, 2: None}) == {1: UNKNOWN, 2: UNKNOWN}
    assert times_of({}) == {}
