"""Repair saves whatever is intact, says what is not, and throws nothing away."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from batchcomp.archive import ArchiveReader, ArchiveWriter, Row, prune, repair, verify
from batchcomp.errors import ArchiveDamagedError, ArchiveNotFoundError

from .samples import fixed_now, sample_row, three_pictures, verbatim_row, write_archive

STEP = 23  # every 23rd byte is flipped in the quick form, every one in the long form


def describe(_kind: str, _payload: bytes) -> dict[str, Any]:
    """What the codec would say of a payload."""
    return {"width": 768, "height": 512, "mode": "RGB"}


def current(folder: Path) -> dict[str, tuple[Row, bytes]]:
    """Return what can be read, without the number of the segment."""
    found, archive = {}, ArchiveReader.open(folder)
    for row in archive.rows():
        try:
            found[row.path] = (replace(row, segment=0), archive.read(row))
        except ArchiveDamagedError:
            continue
    return found


def make(folder: Path) -> None:
    """Write two segments; the second shares content of both."""
    first = three_pictures(folder)[0]
    with ArchiveWriter(folder, now=fixed_now) as writer:
        writer.add_shared(sample_row("moved.png", mtime_ns=5), first)
        own = writer.add(sample_row("c.png", source_sha256="12" * 32), b"fourth payload" * 9)
        writer.add_shared(sample_row("d.png", mtime_ns=6), own)
        writer.add(verbatim_row("e.gif", source_sha256="34" * 32), b"PK\3\4 looks like a header" * 4)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make(tmp_path / "x.bca")
    return tmp_path / "x.bca"


def flipped(data: bytes, at: int) -> bytes:
    """Return data with one bit of one byte changed."""
    return data[:at] + bytes([data[at] ^ (1 << at % 8)]) + data[at + 1 :]


def start_over(folder: Path, sound: dict[str, bytes]) -> None:
    """Put the sound segments back and remove what was set aside."""
    for path in folder.glob("*.damaged*"):
        path.unlink()
    for name, data in sound.items():
        (folder / name).write_bytes(data)


def payload_regions(folder: Path, name: str) -> dict[str, range]:
    """Return where each payload of a segment lies, by the paths that need it."""
    data = (folder / name).read_bytes()
    archive = ArchiveReader.open(folder)
    regions = {}
    for row in archive.rows():
        if f"{row.place[0]:06d}.zip" == name:
            start = data.index(archive.read(row))
            regions[row.path] = range(start, start + row.payload_bytes)
    return regions


def shared_at(data: bytes, at: int) -> set[str]:
    """Return the path of the shared row in whose line a byte lies: the line is all that there is of it."""
    start = max(0, data.rfind(b"\n", 0, at) + 1)
    line = data[start : data.find(b"\n", at) + 1]
    return {str(json.loads(line)["path"])} if b'"owner_segment":' in line else set()


@pytest.mark.parametrize("name", ["000001.zip", "000002.zip"])
@pytest.mark.parametrize("step", [STEP, pytest.param(1, marks=pytest.mark.long)])
def test_a_flipped_byte_costs_at_most_its_own_picture(folder: Path, name: str, step: int) -> None:
    """In any region: it is found, repair saves everything whose payload does not have the byte, rows and all."""
    sound = {path.name: path.read_bytes() for path in folder.glob("*.zip")}
    before, regions = current(folder), payload_regions(folder, name)
    for at in range(0, len(sound[name]), step):
        (folder / name).write_bytes(flipped(sound[name], at))
        assert not verify(folder).ok, at
        hit = {path for path, region in regions.items() if at in region} | shared_at(sound[name], at)
        found = repair(folder, describe, now=fixed_now)
        assert verify(folder).ok, at
        after = current(folder)
        assert after.keys() >= before.keys() - hit, at
        assert all(data == before[path][1] for path, (_, data) in after.items()), at
        changed = [path for path, (row, _) in after.items() if row != before[path][0]]
        assert len(changed) <= 1, at  # a row in the manifest: known again from its local header, without measurements
        assert len(found.lost) >= len(before.keys() - after.keys()), at
        assert any(path.read_bytes() == flipped(sound[name], at) for path in folder.glob(f"{name}.damaged*"))
        start_over(folder, sound)


def test_a_shared_row_in_a_damaged_manifest(folder: Path) -> None:
    """A byte in the line of a shared row costs that name alone; the content is there under the other."""
    path = folder / "000002.zip"
    data = path.read_bytes()
    path.write_bytes(flipped(data, data.index(b'"path":"moved.png"') + 12))
    repair(folder, describe, now=fixed_now)
    assert current(folder).keys() == {"photos/a.png", "photos/ü 1.tif", "b.jpg", "c.png", "d.png", "e.gif"}


def test_a_truncated_segment_keeps_what_is_whole(folder: Path) -> None:
    """Cut off at 100 points: what lies before the cut is saved with name, time, permissions and checksum."""
    name = "000002.zip"
    sound = {path.name: path.read_bytes() for path in folder.glob("*.zip")}
    before, regions = current(folder), payload_regions(folder, name)
    for size in range(0, len(sound[name]), max(1, len(sound[name]) // 100)):
        (folder / name).write_bytes(sound[name][:size])
        assert not verify(folder).ok
        repair(folder, describe, now=fixed_now)
        assert verify(folder).ok, size
        after = current(folder)
        whole = {path for path, region in regions.items() if region.stop <= size and path in {"c.png", "e.gif"}}
        assert after.keys() >= {"photos/a.png", "photos/ü 1.tif", "b.jpg", *whole}
        for path, (row, data) in after.items():
            known = ("mtime_ns", "permissions", "source_sha256", "source_bytes", "payload_sha256", "stored")
            assert data == before[path][1], size
            assert all(getattr(row, field) == getattr(before[path][0], field) for field in known)
        start_over(folder, sound)


def test_a_shared_row_knows_what_its_owner_lost(folder: Path) -> None:
    """Where the row of an owner is lost, a row elsewhere that shares it still has the measurements."""
    before = current(folder)
    path = folder / "000001.zip"
    path.write_bytes(path.read_bytes()[:700])
    found = repair(folder, describe, now=fixed_now)
    assert current(folder)["photos/a.png"] == before["photos/a.png"]
    assert current(folder)["moved.png"] == before["moved.png"]
    assert [segment.number for segment in found.segments] == [1]


def test_names_that_go_with_a_lost_owner(folder: Path) -> None:
    """Content that is lost is lost under each of its names, and each is named."""
    path = folder / "000001.zip"
    data = path.read_bytes()
    path.write_bytes(flipped(data, data.index(b"first payload") + 40))
    found = repair(folder, describe, now=fixed_now)
    assert [lost.path for lost in found.lost] == ["photos/a.png", "moved.png"]
    assert verify(folder).ok
    assert sorted(path.name for path in folder.glob("*.damaged")) == ["000001.zip.damaged", "000002.zip.damaged"]


def test_a_missing_segment_becomes_an_empty_one(tmp_path: Path) -> None:
    """What cannot be found cannot be saved, but the archive goes on, and repair says so."""
    for number in range(3):
        write_archive(tmp_path / "x.bca", [(sample_row(f"{number}.png"), b"data")])
    (tmp_path / "x.bca" / "000002.zip").unlink()
    found = repair(tmp_path / "x.bca", describe)
    assert [lost.reason for lost in found.lost] == ["the segment is missing, with all that was in it"]
    assert verify(tmp_path / "x.bca").ok
    assert [row.path for row in ArchiveReader.open(tmp_path / "x.bca").rows()] == ["0.png", "2.png"]


def test_rubbish_is_repaired_too(folder: Path) -> None:
    """A segment of which nothing is left ends as an empty one beside the rubbish."""
    (folder / "000002.zip").write_bytes(b"rubbish" * 100)
    repair(folder, describe)
    assert verify(folder).ok
    assert (folder / "000002.zip.damaged").read_bytes() == b"rubbish" * 100
    (folder / "000002.zip").write_bytes(b"")
    repair(folder, describe)
    assert (folder / "000002.zip.damaged-2").read_bytes() == b""


def test_a_sound_archive_is_left_alone(folder: Path) -> None:
    """Nothing is written where nothing is damaged; a dry run never writes."""
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert repair(folder, describe).segments == ()
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    (folder / "000001.zip").write_bytes(before["000001.zip"][:300])
    assert repair(folder, describe, dry_run=True).lost
    assert (folder / "000001.zip").stat().st_size == 300
    assert not list(folder.glob("*.damaged"))


def test_an_older_version_counts_again(tmp_path: Path) -> None:
    """Where the newest version is lost, the one before it is better than none, and the loss is named."""
    folder = tmp_path / "x.bca"
    write_archive(folder, [(sample_row("a.png"), b"old")])
    write_archive(folder, [(sample_row("a.png"), b"new and damaged")])
    path = folder / "000002.zip"
    path.write_bytes(path.read_bytes().replace(b"and damaged", b"AND damaged"))
    found = repair(folder, describe)
    assert [lost.path for lost in found.lost] == ["a.png"]
    assert current(folder)["a.png"][1] == b"old"


def test_held_content_survives_a_repair(folder: Path) -> None:
    """A held entry stays held when its segment is repaired, and no name comes back that was pruned."""
    prune(folder, gone=lambda path: path == "photos/a.png")
    path = folder / "000001.zip"
    data = path.read_bytes()
    path.write_bytes(flipped(data, data.index(b"PK\1\2") + 20))
    repair(folder, describe)
    assert verify(folder).ok
    assert current(folder).keys() == {"photos/ü 1.tif", "b.jpg", "moved.png", "c.png", "d.png", "e.gif"}


def test_no_archive_is_no_archive(tmp_path: Path) -> None:
    """Repair does not make archives out of nothing."""
    for name in ("none", "empty"):
        with pytest.raises(ArchiveNotFoundError):
            repair(tmp_path / name, describe)
        (tmp_path / "empty").mkdir(exist_ok=True)


def shared_and_deleted(folder: Path) -> None:
    """Write a.png, share it as b.png in another segment, delete a.png."""
    with ArchiveWriter(folder, now=fixed_now) as writer:
        owner = writer.add(sample_row("a.png"), b"content of two")
        writer.commit()
        writer.add_shared(sample_row("b.png", mtime_ns=5), owner)
        writer.add(sample_row("c.png", source_sha256="12" * 32), b"another")
    prune(folder, gone=lambda path: path == "a.png", now=fixed_now)


@pytest.mark.parametrize("size", [-1, -400, -700])
def test_what_was_deleted_stays_deleted_without_a_manifest(tmp_path: Path, size: int) -> None:
    """The header of a held entry says that it is no picture."""
    folder = tmp_path / "x.bca"
    shared_and_deleted(folder)
    path = folder / "000001.zip"
    path.write_bytes(path.read_bytes()[:size])
    found = repair(folder, describe, now=fixed_now)
    assert verify(folder).ok
    assert {name: data for name, (_, data) in current(folder).items()} == {
        "b.png": b"content of two",
        "c.png": b"another",
    }
    assert [one.saved for one in found.segments] == [0]


def test_content_does_not_go_with_those_that_shared_it(tmp_path: Path) -> None:
    """Where the picture that a deleted one was kept for is lost, its content is there under the deleted name."""
    folder = tmp_path / "x.bca"
    shared_and_deleted(folder)
    path = folder / "000002.zip"
    path.write_bytes(path.read_bytes()[:60])
    dry = repair(folder, describe, dry_run=True, now=fixed_now)
    found = repair(folder, describe, now=fixed_now)
    assert [(one.number, one.note) for one in dry.segments] == [(one.number, one.note) for one in found.segments]
    assert "1 deleted versions count again" in found.segments[-1].note
    assert verify(folder).ok
    assert {name: data for name, (_, data) in current(folder).items()} == {"a.png": b"content of two"}
    assert repair(folder, describe, now=fixed_now).segments == ()
