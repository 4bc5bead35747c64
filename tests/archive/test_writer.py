"""A run that is interrupted, crowded out or refused by the disk loses nothing that was committed."""

from __future__ import annotations

import errno
import json
import signal
import subprocess
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from batchcomp.archive import ArchiveReader, ArchiveWriter, verify
from batchcomp.archive.names import name_problem
from batchcomp.archive.segment import open_segment
from batchcomp.errors import ArchiveError, PictureError

from .disturb import fail_at, start_holder
from .samples import sample_row, three_pictures, verbatim_row, write_archive


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "x.bca"


def test_a_killed_writer_loses_only_the_open_segment(folder: Path) -> None:
    """After kill -9 the archive is sound, the lock free, and the next writer removes the temporary file."""
    with start_holder(folder) as holder:
        holder.send_signal(signal.SIGKILL)
    assert (folder / ".000002.zip.tmp").exists()
    assert verify(folder).ok
    write_archive(folder, [(sample_row("b"), b"data")])
    assert sorted(path.name for path in folder.glob("*.zip")) == ["000001.zip", "000002.zip"]
    assert not list(folder.glob(".*.tmp"))
    assert [row.path for row in ArchiveReader.open(folder).rows()] == ["a", "b"]


def test_left_over_temps_are_removed_and_nothing_else(folder: Path) -> None:
    """Only names that a writer makes are cleaned up."""
    write_archive(folder, [(sample_row(), b"data")])
    for name in (".000009.zip.tmp", "..lock.holder.77.tmp", ".keep.tmp", "notes.txt"):
        (folder / name).write_bytes(b"x")
    with ArchiveWriter(folder):
        pass
    names = {path.name for path in folder.iterdir()} - {".lock"}
    assert names == {"000001.zip", ".keep.tmp", "notes.txt"}


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_an_exception_commits_what_is_complete(folder: Path, error: type[BaseException]) -> None:
    """Ctrl-C or a bug elsewhere keeps the pictures added so far."""
    with pytest.raises(error), ArchiveWriter(folder) as writer:  # noqa: PT012
        writer.add(sample_row(), b"data")
        raise error
    assert len(list(ArchiveReader.open(folder).rows())) == 1
    assert verify(folder).ok


STEPS = [
    ("make_folder", 1), ("write", 1), ("create", 1), ("create", 2), *(("write", n) for n in range(2, 9)),
    ("sync_file", 1), ("sync_file", 2), ("publish", 1), ("sync_folder", 1), ("sync_folder", 2), ("sync_folder", 3),
]  # fmt: skip


@pytest.mark.parametrize("once", [True, False])
@pytest.mark.parametrize(("name", "call"), STEPS)
@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
def test_any_disk_step_may_fail(  # pytest passes them by name
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, call: int, error: BaseException, once: bool
) -> None:
    """Whichever step fails: one clear error, committed segments sound, no temporary file, the lock free again."""
    with monkeypatch.context() as patch:
        fail_at(patch, name, call, error, once=once)
        expected = ArchiveError if isinstance(error, OSError) else KeyboardInterrupt
        try:
            write_archive(folder, [(sample_row("a"), b"one"), (sample_row("b"), b"two")])
        except expected as caught:
            assert expected is KeyboardInterrupt or "free some space" in str(caught)  # noqa: PT017
        else:
            pytest.fail("the step was not reached")
    if folder.exists() and list(folder.glob("*.zip")):
        assert verify(folder).ok
    write_archive(folder, [(sample_row("z"), b"three")])
    assert verify(folder).ok
    assert not list(folder.glob(".*.tmp"))
    assert [row.path for row in ArchiveReader.open(folder).rows()][-1] == "z"


def test_a_full_disk_keeps_the_pictures_before(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture that does not fit is cut off; those before it are committed when the run ends."""
    refused = pytest.raises(ArchiveError, match="No space left on device; free some space")
    with refused, ArchiveWriter(folder) as writer:
        writer.add(sample_row("a"), b"data")
        fail_at(monkeypatch, "write", 2, OSError(errno.ENOSPC, "No space left on device"), once=True)
        writer.add(sample_row("b"), b"data")
    assert [row.path for row in ArchiveReader.open(folder).rows()] == ["a"]
    assert verify(folder).ok


def test_a_failed_fsync_is_final(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A segment whose fsync failed is never published: a second fsync could succeed without the data."""
    with pytest.raises(ArchiveError), ArchiveWriter(folder) as writer:  # noqa: PT012
        writer.add(sample_row("a"), b"data")
        fail_at(monkeypatch, "sync_file", 1, OSError(errno.EIO, "Input/output error"), once=True)
        writer.commit()
    assert not folder.exists()


def test_other_folders_are_not_written_to(tmp_path: Path) -> None:
    """A folder of photos, or a file, is not taken for an archive."""
    (tmp_path / "photo.jpg").write_bytes(b"")
    for target in (tmp_path, tmp_path / "photo.jpg"):
        with pytest.raises(ArchiveError, match="with -o"):
            ArchiveWriter(target).__enter__()
    assert [path.name for path in tmp_path.iterdir()] == ["photo.jpg"]


def test_a_bad_row_is_a_picture_error(folder: Path) -> None:
    """A field out of range or a kind that is not written stops one picture, not the batch."""
    with ArchiveWriter(folder) as writer:
        for fields in ({"ms_ssim": float("nan")}, {"mtime_ns": 2**63 * 10**9}, {"stored": "novel"}, {"width": -1}):
            with pytest.raises(PictureError, match=next(iter(fields))):
                writer.add(sample_row(**fields), b"data")
        writer.add(sample_row("b"), b"data")
    assert [row.path for row in ArchiveReader.open(folder).rows()] == ["b"]


def test_other_zip_tools_read_a_segment(tmp_path: Path) -> None:
    """A segment is a plain ZIP file: the standard library and unzip find nothing to complain about."""
    three_pictures(tmp_path / "x.bca")
    path = tmp_path / "x.bca" / "000001.zip"
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert archive.namelist()[-1] == "batchcomp-manifest.jsonl"
        assert archive.infolist()[0].date_time == (2023, 11, 14, 22, 13, 20)
        lines = [json.loads(line) for line in archive.read("batchcomp-manifest.jsonl").splitlines()]
    assert [line["type"] for line in lines] == ["segment", "picture", "picture", "picture", "end"]
    subprocess.run(["unzip", "-tqq", path], check=True)


def test_identical_runs_give_identical_bytes(tmp_path: Path) -> None:
    """Nothing but the recorded times may differ between two runs."""
    three_pictures(tmp_path / "x.bca")
    three_pictures(tmp_path / "y.bca")
    first, second = ((tmp_path / name / "000001.zip").read_bytes() for name in ("x.bca", "y.bca"))
    assert first == second


names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(names, st.booleans(), st.binary(max_size=300)), max_size=6))
def test_any_names_and_bytes(tmp_path_factory: pytest.TempPathFactory, items: list[tuple[str, bool, bytes]]) -> None:
    """Whatever the writer takes is there afterwards; what it does not take is a PictureError and nothing else."""
    folder, kept = tmp_path_factory.mktemp("any") / "x.bca", {}
    with ArchiveWriter(folder, segment_bytes=1500) as writer:
        for name, plain, data in items:
            row = verbatim_row(name) if plain else sample_row(name)
            if name_problem(name):
                with pytest.raises(PictureError, match="cannot be archived"):
                    writer.add(row, data)
                continue
            kept[name] = writer.add(row, data), data
    if not kept:
        assert not folder.exists()
        return
    archive = ArchiveReader.open(folder)
    assert {row.path: (row, archive.read(row)) for row in archive.rows()} == kept
    assert verify(folder).ok


def test_segments_rotate_by_size(tmp_path: Path) -> None:
    """A segment is committed once it is large enough, so that a crash loses a bounded amount."""
    with ArchiveWriter(tmp_path / "x.bca", segment_bytes=5000) as writer:
        for number in range(3):
            writer.add(sample_row(f"{number}.png"), bytes(2500))
        assert len(list(ArchiveReader.open(tmp_path / "x.bca").rows())) == 2
    assert [row.segment for row in ArchiveReader.open(tmp_path / "x.bca").rows()] == [1, 1, 2]


def test_segments_rotate_by_time(tmp_path: Path) -> None:
    """A segment that is old enough is committed with the next picture."""
    with ArchiveWriter(tmp_path / "x.bca", segment_seconds=0) as writer:
        writer.add(sample_row(), b"data")
        assert (tmp_path / "x.bca" / "000001.zip").exists()


def test_nothing_added_leaves_nothing(tmp_path: Path) -> None:
    """An empty run leaves no folder behind, yet never removes one that was there."""
    with ArchiveWriter(tmp_path / "x.bca"):
        assert (tmp_path / "x.bca").is_dir()
    assert not (tmp_path / "x.bca").exists()
    (tmp_path / "y.bca").mkdir()
    with ArchiveWriter(tmp_path / "y.bca") as writer:
        writer.commit()
    assert (tmp_path / "y.bca").is_dir()


def test_both_names_come_back(sharing: Path) -> None:
    """A shared row has its own path, time and permissions, all else is its owner's, and its payload is the same."""
    archive = ArchiveReader.open(sharing)
    rows = {row.path: row for row in archive.rows()}
    moved, first = rows["moved/a.png"], rows["photos/a.png"]
    assert archive.read(moved) == archive.read(first)
    assert (moved.mtime_ns, moved.permissions, moved.place) == (77, 0o600, (1, "photos/a.png.jpg"))
    same = replace(first, path=moved.path, mtime_ns=77, permissions=0o600, owner_segment=1, segment=2)
    assert moved == same
    assert rows["twin.png"].place == (2, "new.png.jpg")
    assert archive.read(rows["twin.png"]) == b"new payload"
    assert verify(sharing).ok


def test_a_share_costs_a_line(sharing: Path) -> None:
    """No entry is written for shared content; unzip shows only what the segment itself holds."""
    assert list(open_segment(sharing, 2).spans) == ["new.png.jpg"]


def test_a_share_of_a_share_refers_to_the_owner(sharing: Path) -> None:
    """References do not form chains, so that a row is two steps from its bytes at most."""
    moved = {row.path: row for row in ArchiveReader.open(sharing).rows()}["moved/a.png"]
    with ArchiveWriter(sharing) as writer:
        again = writer.add_shared(sample_row("again.png"), moved)
    assert again.place == (1, "photos/a.png.jpg")
    assert verify(sharing).ok


def test_bad_names_are_refused_for_shares_too(sharing: Path) -> None:
    """A shared row is a way to write a name like any other."""
    owner = next(ArchiveReader.open(sharing).rows())
    with ArchiveWriter(sharing) as writer, pytest.raises(PictureError, match="cannot be archived"):
        writer.add_shared(sample_row("../x.png"), owner)
