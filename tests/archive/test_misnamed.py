"""The number inside a segment decides, not the file's name; and what is gone without a name is counted or said."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import pytest

from batchcomp.archive import ArchiveReader, ArchiveWriter, prune, repair, verify
from batchcomp.archive.growing import GrowingSegment
from batchcomp.archive.segments import segment_numbers
from batchcomp.errors import ArchiveDamagedError

from .forge import MANIFEST
from .samples import fixed_now, sample_row, three_pictures, write_archive
from .test_repair import current, describe


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return an archive with three versions of a picture, in three segments."""
    for number in range(3):
        write_archive(tmp_path / "x.bca", [(sample_row("a.png"), b"version %d" % number)])
    return tmp_path / "x.bca"


def picture(folder: Path) -> bytes:
    return current(folder)["a.png"][1]


@pytest.mark.parametrize("cut", [None, 330])
def test_a_copy_at_the_end_supersedes_nothing(folder: Path, cut: int | None) -> None:
    """Neither before nor after `repair`, nor with `prune`; without a manifest its entries say what it is."""
    (folder / "000004.zip").write_bytes((folder / "000001.zip").read_bytes()[:cut])
    assert picture(folder) == b"version 2"
    with pytest.raises(ArchiveDamagedError):
        prune(folder)
    found = repair(folder, describe)
    assert found.lost == ()
    assert "segment 1" in found.segments[-1].note
    assert picture(folder) == b"version 2"
    assert verify(folder).ok
    assert segment_numbers(folder) == [1, 2, 3]
    assert (folder / "000004.zip.damaged").exists()
    prune(folder)
    assert picture(folder) == b"version 2"
    assert repair(folder, describe).segments == ()


def test_a_copy_that_proves_nothing_supersedes_nothing(folder: Path) -> None:
    """Cut off within its only payload, it may have been any segment: what was in it is called unknown."""
    (folder / "000004.zip").write_bytes((folder / "000001.zip").read_bytes()[:94])
    assert None in {lost.count for lost in repair(folder, describe).lost}
    assert (picture(folder), verify(folder).ok) == (b"version 2", True)


def test_a_copy_over_another_is_a_loss(folder: Path) -> None:
    """What the overwritten segment held is unknown, and that is said."""
    shutil.copy(folder / "000001.zip", folder / "000002.zip")
    found = repair(folder, describe)
    assert [(lost.path, lost.count) for lost in found.lost] == [("000002.zip", None)]
    assert "copy of segment 1" in found.lost[0].reason
    assert (picture(folder), verify(folder).ok) == (b"version 2", True)


def test_swapped_segments_go_back(folder: Path) -> None:
    """Each file is known by what it says; nothing is lost, and the order of versions is as before."""
    sound = {path.name: path.read_bytes() for path in folder.glob("*.zip")}
    (folder / "000001.zip").write_bytes(sound["000003.zip"])
    (folder / "000003.zip").write_bytes(sound["000001.zip"])
    found = repair(folder, describe)
    assert found.lost == ()
    assert {path.name: path.read_bytes() for path in folder.glob("*.zip")} == sound


@pytest.mark.parametrize("name", ["000004.zip", "000007.zip", "000102.zip", "20261125.zip"])
def test_a_renamed_segment_goes_back(folder: Path, name: str) -> None:
    """A segment that was given another name is found, near or far, and verify says that something is wrong."""
    sound = (folder / "000002.zip").read_bytes()
    (folder / "000002.zip").rename(folder / name)
    assert not verify(folder).ok
    assert repair(folder, describe).lost == ()
    assert (folder / "000002.zip").read_bytes() == sound
    assert (verify(folder).ok, segment_numbers(folder)) == (True, [1, 2, 3])


def test_an_interrupted_swap_goes_on(folder: Path) -> None:
    """The first of two swapped segments was put back: the other is found among the files that were set aside."""
    sound = {path.name: path.read_bytes() for path in folder.glob("*.zip")}
    (folder / "000001.zip.damaged").write_bytes(sound["000002.zip"])
    (folder / "000002.zip").write_bytes(sound["000001.zip"])
    assert repair(folder, describe).lost == ()
    assert (folder / "000002.zip").read_bytes() == sound["000002.zip"]


@pytest.mark.parametrize("content", [b"", b"rubbish" * 300, b"PK\3\4" + bytes(500)])
def test_what_cannot_be_counted_is_said(folder: Path, content: bytes) -> None:
    """An empty or random segment is a loss of unknown size, named by its file."""
    (folder / "000002.zip").write_bytes(content)
    found = repair(folder, describe)
    assert [(lost.path, lost.count) for lost in found.lost] == [("000002.zip", None)]
    assert "unknown" in found.lost[0].reason
    assert (picture(folder), verify(folder).ok) == (b"version 2", True)


def test_neighbours_name_what_is_lost(tmp_path: Path) -> None:
    """A picture elsewhere that shares the content still says what it was called."""
    folder = tmp_path / "x.bca"
    first = three_pictures(folder)[0]
    with ArchiveWriter(folder) as writer:
        writer.add_shared(sample_row("moved.png"), first)
    (folder / "000001.zip").write_bytes(b"")
    lost = {one.path: one.count for one in repair(folder, describe).lost}
    assert lost == {"photos/a.png": 1, "000001.zip": None, "moved.png": 1}


def test_the_last_line_counts_what_is_lost(tmp_path: Path) -> None:
    """Where rows are overwritten with their entries, the end of the manifest still says how many there were."""
    folder = tmp_path / "x.bca"
    three_pictures(folder)
    path = folder / "000001.zip"
    data = path.read_bytes()
    at = data.index(b'{"type":"segment"')
    hole = data.index(b'"path":"b.jpg"')
    path.write_bytes(data[:100] + bytes(at - 100) + bytes(hole - at) + data[hole:])
    found = repair(folder, describe)
    assert [(lost.path, lost.count) for lost in found.lost] == [("photos/a.png", 1), ("000001.zip", 2)]
    assert "2 more pictures" in found.lost[1].reason


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("prefix", ["", "renamed/"])
def test_what_another_tool_rewrote_is_put_right(tmp_path: Path, method: int, order: int, prefix: str) -> None:
    """Compressed, in another order, with other fields, under other names: rows and payloads prove themselves."""
    folder = tmp_path / "x.bca"
    three_pictures(folder)
    path = folder / "000001.zip"
    sound = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        parts = [(info.filename, archive.read(info)) for info in archive.infolist()][::order]
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in parts:
            info = zipfile.ZipInfo(name if name == MANIFEST else prefix + name, (2001, 2, 3, 4, 5, 6))
            info.extra, info.compress_type = b"UT\x05\0\x01abcd", method
            archive.writestr(info, data)
    found = repair(folder, describe)
    assert (found.lost, found.segments[0].saved, found.segments[0].rebuilt) == ((), 3, 0)
    assert sorted(path.read_bytes()) == sorted(sound)
    if order == 1:
        assert path.read_bytes() == sound


def test_a_stranger_in_a_segments_place(folder: Path) -> None:
    """A ZIP file of somebody else is set aside, and what stood there is unknown."""
    with zipfile.ZipFile(folder / "000003.zip", "w") as archive:
        archive.writestr("holiday.jpg", b"picture")
    found = repair(folder, describe)
    assert [(lost.path, lost.count) for lost in found.lost] == [("000003.zip", None)]
    assert (picture(folder), verify(folder).ok) == (b"version 1", True)


def test_times_stay(folder: Path) -> None:
    """`prune` and `repair` keep a segment's time; where it is lost, that of the segment before counts."""
    from batchcomp.archive.claims import claim_of  # noqa: PLC0415  # only here

    prune(folder)
    (folder / "000002.zip").write_bytes(b"")
    repair(folder, describe)
    assert {claim.created for n in (1, 2, 3) if (claim := claim_of(folder, f"{n:06d}.zip"))} == {fixed_now()}


def test_a_segment_of_no_number_is_no_claim(folder: Path) -> None:
    """A forged number far above all others brings no segment of that number."""
    GrowingSegment(folder, 900_000).finish(fixed_now())
    (folder / "900000.zip").replace(folder / "000004.zip")
    repair(folder, describe)
    assert (segment_numbers(folder), verify(folder).ok) == ([1, 2, 3], True)
    assert [row.path for row in ArchiveReader.open(folder).rows()] == ["a.png"]
