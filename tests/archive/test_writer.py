"""A run that is interrupted, crowded out or refused by the disk loses nothing that was committed."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from batchcomp.archive import Archive, ArchiveWriter, durable, verify
from batchcomp.errors import ArchiveError, ArchiveLockedError, PictureError

from .samples import sample_row, write_archive

HOLDER = """
import sys
from pathlib import Path
from batchcomp.archive import ArchiveWriter, Row
row = Row(path="a", stored="compact", source_bytes=1, mtime_ns=0, permissions=0, source_sha256="00" * 32,
          width=1, height=1, mode="L", quality=1)
with ArchiveWriter(Path(sys.argv[1])) as writer:
    writer.add(row, b"first")
    writer.commit()
    writer.add(row, b"second")
    print("ready", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "x.bca"


def start_holder(folder: Path) -> subprocess.Popen[bytes]:
    """Start a process that has one segment committed and another one open."""
    command = [sys.executable, "-c", HOLDER, str(folder)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
    assert process.stdout
    assert process.stdout.readline() == b"ready\n"
    return process


def test_a_second_writer_is_told_who_holds_the_lock(folder: Path) -> None:
    """Another process' lock is exit code 11 and names it; readers are not disturbed; afterwards the lock is free."""
    with start_holder(folder) as holder:
        with pytest.raises(ArchiveLockedError, match=rf"process {holder.pid} on .* \(since 2") as caught:
            ArchiveWriter(folder, lock_wait=0.1).__enter__()
        assert caught.value.exit_code == 11
        assert [row.segment for row in Archive.open(folder).rows()] == [1]
    with ArchiveWriter(folder):
        assert [row.segment for row in Archive.open(folder).rows()] == [2]


def test_two_writers_in_one_process(folder: Path) -> None:
    """The lock holds within a process too, and is given back when the first one ends."""
    with ArchiveWriter(folder) as first:
        first.add(sample_row(), b"data")
        with pytest.raises(ArchiveLockedError):
            ArchiveWriter(folder).__enter__()
        first.add(sample_row("b"), b"data")
    write_archive(folder, [(sample_row("c"), b"data")])
    assert len(list(Archive.open(folder).rows())) == 3


def test_a_killed_writer_loses_only_the_open_segment(folder: Path) -> None:
    """After kill -9 the archive is sound, the lock free, and the next writer removes the temporary file."""
    with start_holder(folder) as holder:
        holder.send_signal(signal.SIGKILL)
    assert (folder / ".000002.zip.tmp").exists()
    assert verify(folder).ok
    write_archive(folder, [(sample_row("b"), b"data")])
    assert sorted(path.name for path in folder.glob("*.zip")) == ["000001.zip", "000002.zip"]
    assert not list(folder.glob(".*.tmp"))
    assert [row.path for row in Archive.open(folder).rows()] == ["a", "b"]


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
    assert len(list(Archive.open(folder).rows())) == 1
    assert verify(folder).ok


def fail_at(monkeypatch: pytest.MonkeyPatch, name: str, call: int, error: BaseException, *, once: bool) -> None:
    """Make one call (or all from it on) of a function in `durable` fail, `write` after half of the data."""
    real, count = getattr(durable, name), 0

    def failing(*arguments: Any) -> Any:
        nonlocal count
        count += 1
        if count == call or (count > call and not once):
            if name == "write":
                arguments[0].write(arguments[1][: len(arguments[1]) // 2])
            raise error
        return real(*arguments)

    monkeypatch.setattr(durable, name, failing)


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
    assert [row.path for row in Archive.open(folder).rows()][-1] == "z"


def test_a_full_disk_keeps_the_pictures_before(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture that does not fit is cut off; those before it are committed when the run ends."""
    refused = pytest.raises(ArchiveError, match="No space left on device; free some space")
    with refused, ArchiveWriter(folder) as writer:
        writer.add(sample_row("a"), b"data")
        fail_at(monkeypatch, "write", 2, OSError(errno.ENOSPC, "No space left on device"), once=True)
        writer.add(sample_row("b"), b"data")
    assert [row.path for row in Archive.open(folder).rows()] == ["a"]
    assert verify(folder).ok


def test_a_failed_fsync_is_final(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A segment whose fsync failed is never published: a second fsync could succeed without the data."""
    with pytest.raises(ArchiveError), ArchiveWriter(folder) as writer:  # noqa: PT012
        writer.add(sample_row("a"), b"data")
        fail_at(monkeypatch, "sync_file", 1, OSError(errno.EIO, "Input/output error"), once=True)
        writer.commit()
    assert not folder.exists()


def test_segments_are_never_overwritten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`publish` refuses a name that is taken, with hard links and without."""
    (tmp_path / "new").write_bytes(b"new")
    (tmp_path / "old").write_bytes(b"old")
    for link in (os.link, _no_links):
        monkeypatch.setattr(os, "link", link)
        with pytest.raises(FileExistsError):
            durable.publish(tmp_path / "new", tmp_path / "old")
    assert (tmp_path / "old").read_bytes() == b"old"
    durable.publish(tmp_path / "new", tmp_path / "other")
    assert not (tmp_path / "new").exists()


def _no_links(*_: object) -> None:
    raise OSError(errno.EPERM, "Operation not permitted")


def test_atomic_write_keeps_the_old_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write that fails half-way leaves the old file and nothing else."""
    durable.atomic_write(tmp_path / "file", b"old")
    fail_at(monkeypatch, "write", 1, OSError(errno.EIO, "Input/output error"), once=True)
    with pytest.raises(OSError, match="Input/output"):
        durable.atomic_write(tmp_path / "file", b"new")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"old"]


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
        for fields in ({"ms_ssim": float("nan")}, {"mtime_ns": 2**63}, {"stored": "novel"}, {"width": -1}):
            with pytest.raises(PictureError, match=next(iter(fields))):
                writer.add(sample_row(**fields), b"data")
        writer.add(sample_row("b"), b"data")
    assert [row.path for row in Archive.open(folder).rows()] == ["b"]


def test_the_holder_is_json_beside_the_lock(folder: Path) -> None:
    """Who holds the lock can be read by a person, and is gone when the lock is."""
    with ArchiveWriter(folder) as writer:
        assert json.loads((folder / ".lock.holder").read_bytes())["pid"] == os.getpid()
        writer.add(sample_row(), b"data")
    assert not (folder / ".lock.holder").exists()
